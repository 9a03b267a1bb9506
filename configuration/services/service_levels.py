"""Service levels: the shipping methods that a tenant offers."""

from collections.abc import Set as AbstractSet

from configuration.keys import LONGEST_GRACE
from configuration.models import ServiceLevel, ShippingType, Tenant
from configuration.services import versions
from ordermgmt.errors import Invalid
from ordermgmt.values import names


class BadServiceLevel(Invalid):
    code = "invalid_service_level"


def put(
    *,
    tenant: Tenant,
    identifier: str,
    name: str = "",
    remorse_period: int | None = None,
    shipping_type: str = ShippingType.TRADITIONAL_CARRIER,
    if_match: AbstractSet[int] | None = None,
) -> ServiceLevel:
    """Create the service level of that identifier, or replace all its values."""
    if not identifier.strip() or len(identifier) > 64:
        raise BadServiceLevel("A service level's identifier is 1 to 64 characters.")
    if shipping_type not in ShippingType.values:
        raise BadServiceLevel(f"A shipping type is one of {', '.join(ShippingType.values)}.")
    if remorse_period is not None and not 0 <= remorse_period <= LONGEST_GRACE:
        raise BadServiceLevel(f"A remorse period is 0 to {LONGEST_GRACE} seconds.")
    return versions.put(
        ServiceLevel,
        key={"tenant": tenant, "identifier": names.normal(identifier)},
        values={
            "name": name or identifier,
            "remorse_period": remorse_period,
            "shipping_type": shipping_type,
        },
        if_match=if_match,
    )
