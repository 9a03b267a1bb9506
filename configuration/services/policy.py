"""Policy of a tenant for one order: the configuration that decides over it, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from configuration.keys import (
    BIG_SALES_ORDER,
    EXTERNAL_OMS,
    ON_HOLD_TIMER_DURATION,
    SALES_ORDER_GENERATOR_SEQUENCE,
    Sequence,
)
from configuration.models import Tenant
from configuration.services.sequences import NEARLY_USED, sequence_name
from ordermgmt.database import prepared_sql

# One statement, so that a capture sees one revision of the configuration and pays for one round
# trip. Every part is an index look-up.
_READ: Final = """
SELECT
  (SELECT jsonb_object_agg(s.key, jsonb_build_array(s.value, s.version))
     FROM configuration_setting s WHERE s.tenant_id = %(tenant)s AND s.key = ANY(%(keys)s::text[])),
  (SELECT jsonb_object_agg(l.identifier, jsonb_build_array(l.remorse_period, l.shipping_type))
     FROM configuration_servicelevel l
    WHERE l.tenant_id = %(tenant)s AND l.identifier = ANY(%(service_levels)s::text[])),
  (SELECT jsonb_object_agg(l.code, l.type)
     FROM configuration_location l
    WHERE l.tenant_id = %(tenant)s AND l.is_active AND l.code = ANY(%(locations)s::text[])),
  (SELECT jsonb_build_array(l.code, l.type)
     FROM configuration_location l
    WHERE l.tenant_id = %(tenant)s AND l.is_active
      AND (l.country_codes = '{}' OR %(country)s::text = ANY(l.country_codes))
    ORDER BY l.priority, l.type, l.code LIMIT 1),
  EXISTS (SELECT 1 FROM configuration_location l WHERE l.tenant_id = %(tenant)s),
  (SELECT s.name FROM configuration_policystate s WHERE s.tenant_id = %(tenant)s)
"""
_KEYS: Final = [
    key.name
    for key in (
        SALES_ORDER_GENERATOR_SEQUENCE,
        ON_HOLD_TIMER_DURATION,
        BIG_SALES_ORDER,
        EXTERNAL_OMS,
    )
]
CACHE_SIZE: Final = 1_000  # policies; about 2 MB, or 30 MB if all names have full length


@dataclass(frozen=True, slots=True)
class Place:
    """The code and type of a location, for routing."""

    code: str
    type: str  # store or dc


NO_LOCATION: Final = Place("", "")


@dataclass(frozen=True, slots=True)
class Level:
    """The values of a service level that grace period and routing need."""

    remorse_period: int | None  # seconds
    shipping_type: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """The format and the sequence of the tenant's order numbers."""

    prefix: str
    size: int  # digits
    sequence: str  # the PostgreSQL sequence that counts
    nearly_used_at: str  # the order number that triggers a warning

    def own_number(self, name: str) -> str | None:
        """Return the name if it has the format of these numbers, else None."""
        digits = name[len(self.prefix) :]
        has_form = (
            len(digits) == self.size
            and digits.isascii()
            and digits.isdigit()
            and name.startswith(self.prefix)
        )
        return name if has_form else None


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings, service levels and locations that decide over one order."""

    numbering: Numbering | None  # None while the sequence is not configured
    grace_period: int  # seconds; 0 for none
    soft_limit: int  # items; more make a big order
    external_oms: bool
    versions: Mapping[str, int]  # of the settings that were ever set
    service_levels: Mapping[str, Level]
    locations: Mapping[str, Place]  # active ones among the locations of the key, by code
    nearest: Place | None  # the first by priority that serves the destination
    has_locations: bool
    revision: UUID | None  # of the configuration; None while nothing was ever configured


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """The part of an order that selects its policy; orders with equal keys share a policy."""

    service_levels: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()  # codes that a shipment names
    country: str = ""  # destination (ISO 3166); empty matches only locations without countries


_cache: Final[dict[tuple[int, PolicyKey], Policy]] = {}


def cached_policy(tenant: Tenant, key: PolicyKey) -> Policy | None:
    """Return the policy that this process read last for the key, which may be outdated.

    The caller must check that its `revision` is still current, and `invalidate` it otherwise.
    """
    return _cache.get((tenant.pk, key))


def invalidate(tenant: Tenant, key: PolicyKey) -> None:
    _cache.pop((tenant.pk, key), None)


def policy(tenant: Tenant, key: PolicyKey = PolicyKey()) -> Policy:
    """Read the policy of the tenant for the key, in one statement, and cache it."""
    if len(_cache) >= CACHE_SIZE:
        _cache.clear()
    current = _cache[tenant.pk, key] = _read(tenant, key)
    return current


def _read(tenant: Tenant, key: PolicyKey) -> Policy:
    [(settings, levels, places, nearest, has_locations, revision)] = prepared_sql.rows(
        _READ,
        {
            "tenant": tenant.pk,
            "keys": _KEYS,
            "service_levels": list(key.service_levels),
            "locations": list(key.locations),
            "country": key.country,
        },
    )
    stored: dict[str, Any] = _json(settings)
    values = {name: value for name, (value, _) in stored.items()}
    big_orders = values.get(BIG_SALES_ORDER.name) or BIG_SALES_ORDER.dump(BIG_SALES_ORDER.default)
    external_oms = values.get(EXTERNAL_OMS.name) or EXTERNAL_OMS.dump(EXTERNAL_OMS.default)
    return Policy(
        numbering=_numbering(tenant, values.get(SALES_ORDER_GENERATOR_SEQUENCE.name)),
        grace_period=values.get(ON_HOLD_TIMER_DURATION.name, ON_HOLD_TIMER_DURATION.default),
        soft_limit=big_orders["soft_limit_for_big_orders"],
        external_oms=external_oms["enabled"],
        versions={name: version for name, (_, version) in stored.items()},
        service_levels={name: Level(*level) for name, level in _json(levels).items()},
        locations={code: Place(code, type) for code, type in _json(places).items()},
        nearest=Place(*_json(nearest)) if nearest else None,
        has_locations=has_locations,
        revision=revision,
    )


def _numbering(tenant: Tenant, sequence: dict[str, Any] | None) -> Numbering | None:
    if sequence is None:
        return None
    numbers = Sequence(**sequence)
    total = (numbers.largest - numbers.start) // numbers.step + 1
    drawn = -(-total * NEARLY_USED // 100)  # rounded up, so never 0
    return Numbering(
        prefix=numbers.prefix,
        size=numbers.size,
        sequence=sequence_name(tenant.pk),
        nearly_used_at=numbers.number(numbers.start + (drawn - 1) * numbers.step),
    )


def _json(value: str | None) -> Any:
    return orjson.loads(value) if value else {}
