"""Stores and distribution centers that fulfill orders of a tenant."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from configuration.models import Location, LocationType, Tenant
from configuration.services import versions
from ordermgmt.errors import Invalid
from ordermgmt.values import countries, names


class BadLocation(Invalid):
    code = "bad_location"


def put(
    *,
    tenant: Tenant,
    code: str,
    type: str,
    name: str = "",
    country_codes: Iterable[str] = (),
    priority: int = 100,
    is_active: bool = True,
    address: dict[str, Any] | None = None,
    country: str = "",
    zip_code: str = "",
    if_match: AbstractSet[int] | None = None,
) -> Location:
    """Create the location of that code, or replace all its values; see `versions.put`."""
    serves = sorted(set(country_codes))
    if not code.strip() or len(code) > 128:
        raise BadLocation("A location's code is 1 to 128 characters.")
    if type not in LocationType.values:
        raise BadLocation(f"A location's type is one of {', '.join(LocationType.values)}.")
    for code_of_country in [*serves, *filter(None, [country])]:
        if code_of_country not in countries.NAMES:
            raise BadLocation(
                f"{ascii(code_of_country)[1:-1][:20]} is not a country. Countries are ISO 3166"
                " alpha-2 codes, like DE; XK is Kosovo."
            )
    return versions.put(
        Location,
        key={"tenant": tenant, "code": names.normal(code)},
        values={
            "type": type,
            "name": name or code,
            "country_codes": serves,
            "priority": priority,
            "is_active": is_active,
            "address": address or {},
            "country": country,
            "zip_code": zip_code,
        },
        if_match=if_match,
    )
