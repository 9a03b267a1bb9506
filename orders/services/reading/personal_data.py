"""Tokens for personal data: docs/contract.md, Personal data tokens.

The value of a token is either stored by `tokenize`, or in one of the tenant's orders. The tokens
of orders are not stored, because they can be derived from the order and the tenant's key.
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

# Members of a customer and of an address that order APIs replace with tokens.
CUSTOMER: Final = ("id", "name", "email")
ADDRESS: Final = (
    "first_name",
    "second_name",
    "last_name",
    "phone",
    "address_line_1",
    "address_line_2",
)
MOST_ORDERS: Final = 2000  # that one call searches, divided by its number of customers
FEWEST_ORDERS: Final = 10  # that are searched for each customer, the newest first

log = structlog.get_logger(__name__)


class TokensNotInUse(PreconditionFailed):
    """The tenant has not switched on tokens for personal data."""

    code = "pii_tokens_not_in_use"


class TwoCustomers(Invalid):
    """The values belong to two customers, but the tokens of a call name one."""

    code = "bad_request"


def tokenize(*, tenant: Tenant, values: Mapping[str, str], actor: str) -> dict[str, str]:
    """Return a token for each value by its name, and store the values.

    The part after the last dot of a name is the kind: `customer.email` is an `email`. An `id`, or
    else an `email`, names the customer, and the tokens equal those in the customer's orders.
    Empty values and tokens are returned unchanged. Raise `TokensNotInUse` or `TwoCustomers`.
    """
    _check_use(tenant)
    profile = _profile(tenant, values)
    tokens = {
        name: pseudonyms.token(tenant, profile, _kind(name), value)
        if value and not pseudonyms.is_token(value)
        else value
        for name, value in values.items()
    }
    changed = [name for name, token in tokens.items() if token != values[name]]
    personal_tokens.remember(tenant, {tokens[name]: values[name] for name in changed})
    _log("tokenize", tenant, actor, count=len(values), matches=len(changed))
    return tokens


def detokenize(*, tenant: Tenant, tokens: Mapping[str, str], actor: str) -> dict[str, str]:
    """Return the values of known tokens by name, with two queries at most.

    Stored values are searched first, then the newest orders of the tokens' customers. Tokens of
    another tenant are unknown. Raise `TokensNotInUse`.
    """
    _check_use(tenant)
    wanted = {token for token in tokens.values() if pseudonyms.is_token(token)}
    recovered = personal_tokens.recall(tenant, wanted) if wanted else {}
    if missing := wanted - recovered.keys():
        recovered |= _in_orders(tenant, missing)
    values = {name: recovered[token] for name, token in tokens.items() if token in recovered}
    _log("detokenize", tenant, actor, count=len(tokens), matches=len(values))
    return values


def _check_use(tenant: Tenant) -> None:
    if not tenant.uses_pii_tokens:
        raise TokensNotInUse("This tenant does not use tokens for personal data.")


def _log(direction: str, tenant: Tenant, actor: str, *, count: int, matches: int) -> None:
    """Log the client and the numbers of values, but never a value, a token or a name."""
    log.info(
        "personal data",
        direction=direction,
        tenant=tenant.slug,
        client=actor,
        count=count,
        found=matches,
    )


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _profile(tenant: Tenant, values: Mapping[str, str]) -> UUID:
    """Return the first half of the tokens. Raise `TwoCustomers`.

    Values that name no customer get a profile of their own.
    """
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
    """Return the values of tokens from the newest orders of their customers."""
    wanted: dict[UUID, set[str]] = {}
    for token in tokens:
        wanted.setdefault(pseudonyms.customer_key(tenant, token), set()).add(token)
    most = max(MOST_ORDERS // len(wanted), FEWEST_ORDERS)
    values: dict[str, str] = {}
    tokenized: set[tuple[UUID, str, str]] = set()
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, {"tenant": tenant.pk, "profiles": list(wanted), "most": most})
        for profile, members in cursor:
            for kind, value, meaning in _personal(tenant, *json.loads(members)):
                if (profile, kind, value) not in tokenized:
                    tokenized.add((profile, kind, value))
                    token = pseudonyms.token(tenant, profile, kind, value)
                    if token in wanted[profile]:
                        values[token] = meaning
    return values


def _personal(
    tenant: Tenant,
    customer_id: str,
    external_id: str | None,
    customer: Mapping[str, Any] | None,
    *addresses: Mapping[str, Any] | None,
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, tokenized value and meaning of the personal data in an order.

    A derived id means the value it was derived from, because callers do not know the id.
    """
    person = customer or {}
    if customer_id:
        yield "id", customer_id, _origin(tenant, customer_id, external_id, person.get("email"))
    for part, names in ((person, ("name", "email")), *((one or {}, ADDRESS) for one in addresses)):
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
