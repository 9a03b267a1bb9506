"""Personal data and the tokens that stand for it, for tenants whose orders leave as tokens.

A token is turned back by what was tokenized here, or by the tenant's orders: their tokens are not
stored anywhere, but follow from what an order says and the tenant's key.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection

from configuration.models import Tenant
from configuration.services import personal_tokens, pseudonyms
from ordermgmt.errors import Invalid, PreconditionFailed

# What of a person leaves the order APIs as a token: of a customer, and of an address.
CUSTOMER: Final = ("id", "name", "email")
ADDRESS: Final = (
    "first_name",
    "second_name",
    "last_name",
    "phone",
    "address_line_1",
    "address_line_2",
)
MOST_ORDERS: Final = 2000  # that a call looks through, spread over the customers it asks about
FEWEST_ORDERS: Final = 10  # of each customer, the newest

log = structlog.get_logger(__name__)


class TokensNotInUse(PreconditionFailed):
    """The tenant has not switched tokens on, so there is nothing that they could stand for."""

    code = "pii_tokens_not_in_use"


class TwoCustomers(Invalid):
    """Values of two people would get tokens that say they are one."""

    code = "bad_request"


def tokenize(*, tenant: Tenant, values: Mapping[str, str], actor: str) -> dict[str, str]:
    """Return a token for each value, by its name, and keep what it stands for.

    What follows the last dot of a name says what the value is: `customer.email` is an `email`. The
    values are one customer's, named by an `id`, else by an `email`: their tokens are those of the
    customer's orders. Empty values and tokens stay as they are. Raises `TokensNotInUse` and
    `TwoCustomers`.
    """
    _check_use(tenant)
    profile = _profile(tenant, values)
    tokens = {
        name: pseudonyms.token(tenant, profile, _kind(name), value)
        if value and not pseudonyms.is_token(value)
        else value
        for name, value in values.items()
    }
    made = [name for name, token in tokens.items() if token != values[name]]
    personal_tokens.remember(tenant, {tokens[name]: values[name] for name in made})
    _log("tokenize", tenant, actor, count=len(values), found=len(made))
    return tokens


def detokenize(*, tenant: Tenant, tokens: Mapping[str, str], actor: str) -> dict[str, str]:
    """Return the values of those tokens that are known, by their names, in two queries at most.

    Looks at what was tokenized, then at the newest orders of the customers whom the tokens name. A
    token of another tenant is as unknown as one of nobody. Raises `TokensNotInUse`.
    """
    _check_use(tenant)
    wanted = {token for token in tokens.values() if pseudonyms.is_token(token)}
    known = personal_tokens.recall(tenant, wanted) if wanted else {}
    if missing := wanted - known.keys():
        known |= _in_orders(tenant, missing)
    values = {name: known[token] for name, token in tokens.items() if token in known}
    _log("detokenize", tenant, actor, count=len(tokens), found=len(values))
    return values


def _check_use(tenant: Tenant) -> None:
    if not tenant.uses_pii_tokens:
        raise TokensNotInUse("This tenant does not use tokens for personal data.")


def _log(direction: str, tenant: Tenant, actor: str, *, count: int, found: int) -> None:
    """Say who asked for how much. Never a value, a token or a name of one."""
    log.info(
        "personal data",
        direction=direction,
        tenant=tenant.slug,
        client=actor,
        count=count,
        found=found,
    )


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _profile(tenant: Tenant, values: Mapping[str, str]) -> UUID:
    """The first half of the tokens. Values that name no customer are a set of their own."""
    ids = {value for name, value in values.items() if value and _kind(name) == "id"} or {
        _id_of_email(tenant, value)
        for name, value in values.items()
        if value and _kind(name) == "email"
    }
    profiles = {pseudonyms.customer_key(tenant, one) for one in ids}
    if len(profiles) > 1:
        raise TwoCustomers("The values name two customers: send those of one customer in a call.")
    if profiles:
        return profiles.pop()
    return pseudonyms.customer_key(tenant, f"values:{json.dumps(values, sort_keys=True)}")


def _id_of_email(tenant: Tenant, email: str) -> str:
    if pseudonyms.is_token(email):
        return email
    return pseudonyms.customer_id_for(tenant, {"email": email}, external_id=None)


def _in_orders(tenant: Tenant, tokens: Collection[str]) -> dict[str, str]:
    """Those of the tokens that the newest orders of their customers explain."""
    wanted: dict[UUID, set[str]] = {}
    for token in tokens:
        wanted.setdefault(pseudonyms.customer_key(tenant, token), set()).add(token)
    most = max(MOST_ORDERS // len(wanted), FEWEST_ORDERS)
    known: dict[str, str] = {}
    expected_version: set[tuple[UUID, str, str]] = set()
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, {"tenant": tenant.pk, "profiles": list(wanted), "most": most})
        for profile, said in cursor:
            for kind, value, meaning in _personal(tenant, *json.loads(said)):
                if (profile, kind, value) not in expected_version:
                    expected_version.add((profile, kind, value))
                    token = pseudonyms.token(tenant, profile, kind, value)
                    if token in wanted[profile]:
                        known[token] = meaning
    return known


def _personal(
    tenant: Tenant,
    customer_id: str,
    external_id: str | None,
    customer: Mapping[str, Any] | None,
    *addresses: Mapping[str, Any] | None,
) -> Iterator[tuple[str, str, str]]:
    """What of a person an order says: the kind, the value that was tokenized, and what it means.

    An id that we derived means what it was derived from; nobody else has ever seen the id.
    """
    said = customer or {}
    if customer_id:
        yield "id", customer_id, _origin(tenant, customer_id, external_id, said.get("email"))
    for part, names in ((said, ("name", "email")), *((one or {}, ADDRESS) for one in addresses)):
        for name in names:
            if value := part.get(name):
                yield name, value, value


def _origin(tenant: Tenant, customer_id: str, external_id: str | None, email: str | None) -> str:
    derived = pseudonyms.customer_id_for
    if email and derived(tenant, {"email": email}, external_id=None) == customer_id:
        return email
    if external_id and derived(tenant, {}, external_id=external_id) == customer_id:
        return external_id
    return customer_id


# The first half of a token names a customer, or an order that names none.
_ORDERS: Final = """
SELECT token.profile, jsonb_build_array(
         one.customer_id, one.details -> 'external_customer_id', one.details -> 'customer',
         one.details -> 'shipping_address', one.details -> 'billing_address')::text
  FROM unnest(%(profiles)s::uuid[]) AS token(profile)
 CROSS JOIN LATERAL (
       (SELECT customer_id, details
          FROM orders_order
         WHERE tenant_id = %(tenant)s AND customer_key = token.profile
         ORDER BY placed_at DESC, id DESC
         LIMIT %(most)s)
       UNION ALL
       SELECT customer_id, details
         FROM orders_order
        WHERE tenant_id = %(tenant)s AND uuid = token.profile AND customer_key IS NULL
       ) AS one
"""
