"""All a tenant has configured that decides over one order, read at one moment in one statement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from configuration import keys
from configuration.models import Tenant
from ordermgmt import strict_json

# One statement, so that an order is judged by one state of the configuration (and captures, the
# hot path, pay for one round trip). Every part is an index look-up.
_READ: Final = """
SELECT
  (SELECT jsonb_object_agg(s.key, jsonb_build_array(s.value, s.version))
     FROM configuration_setting s WHERE s.tenant_id = %(tenant)s AND s.key = ANY(%(keys)s)),
  (SELECT jsonb_object_agg(l.identifier, jsonb_build_array(l.remorse_period, l.shipping_type))
     FROM configuration_servicelevel l
    WHERE l.tenant_id = %(tenant)s AND l.identifier = ANY(%(service_levels)s)),
  (SELECT jsonb_object_agg(l.code, l.type)
     FROM configuration_location l
    WHERE l.tenant_id = %(tenant)s AND l.is_active AND l.code = ANY(%(locations)s)),
  (SELECT jsonb_build_array(l.code, l.type)
     FROM configuration_location l
    WHERE l.tenant_id = %(tenant)s AND l.is_active
      AND (l.country_codes = '{}' OR %(country)s = ANY(l.country_codes))
    ORDER BY l.priority, l.type, l.code LIMIT 1),
  EXISTS (SELECT 1 FROM configuration_location l WHERE l.tenant_id = %(tenant)s)
"""
_KEYS: Final = [
    keys.SALES_ORDER_GENERATOR_SEQUENCE.name,
    keys.ON_HOLD_TIMER_DURATION.name,
    keys.BIG_SALES_ORDER.name,
    keys.EXTERNAL_OMS.name,
]


@dataclass(frozen=True, slots=True)
class Place:
    """A location, as far as routing needs to know it."""

    code: str
    type: str  # store or dc


@dataclass(frozen=True, slots=True)
class Level:
    """A service level, as far as grace and routing need to know it."""

    remorse_period: int | None  # seconds
    shipping_type: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides over one order: settings with their versions, service levels, locations."""

    sequence: Mapping[str, Any] | None  # prefix and size; None while not configured
    grace_period: int  # seconds; 0 for none
    soft_limit: int  # items; more make a big order
    external_oms: bool
    versions: Mapping[str, int]  # of the settings that were ever set
    service_levels: Mapping[str, Level]
    locations: Mapping[str, Place]  # those asked for by code that exist and are active
    nearest: Place | None  # the best that serves the destination
    has_locations: bool


def policy(
    tenant: Tenant,
    *,
    service_levels: Collection[str] = (),
    locations: Collection[str] = (),
    country: str = "",
) -> Policy:
    """What `tenant` has configured for an order with these service levels and destinations.

    `country` is where it goes (ISO 3166; empty when unknown: only locations that serve every
    country are then near). One statement, whatever is asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "tenant": tenant.pk,
                "keys": _KEYS,
                "service_levels": list(service_levels),
                "locations": list(locations),
                "country": country,
            },
        )
        settings, levels, places, nearest, has_locations = cursor.fetchone()
    stored: dict[str, Any] = _json(settings)
    values = {name: stored[name][0] if name in stored else _default(name) for name in _KEYS}
    return Policy(
        sequence=values[keys.SALES_ORDER_GENERATOR_SEQUENCE.name],
        grace_period=values[keys.ON_HOLD_TIMER_DURATION.name],
        soft_limit=values[keys.BIG_SALES_ORDER.name]["soft_limit_for_big_orders"],
        external_oms=values[keys.EXTERNAL_OMS.name]["enabled"],
        versions={name: version for name, (_, version) in stored.items()},
        service_levels={name: Level(*level) for name, level in _json(levels).items()},
        locations={code: Place(code, type) for code, type in _json(places).items()},
        nearest=Place(*_json(nearest)) if nearest else None,
        has_locations=has_locations,
    )


def _json(value: str | None) -> Any:
    return strict_json.loads(value.encode()) if value else {}
