"""Queries for single orders with their items and shipments, and for customer histories."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from configuration.models import Tenant
from configuration.services.pseudonyms import customer_key
from ordermgmt.database import prepared_sql
from ordermgmt.errors import Conflict, NotFound
from ordermgmt.values import names
from orders.models import Hold, Item, Order, Shipment

IdType = Literal["internal", "external"]


def _names(model: type[Item | Shipment], alias: str) -> str:
    return ", ".join(f"{alias}_{f.column}" for f in model._meta.concrete_fields)


# Items and shipments of the orders in `found`, in one statement and thus from one snapshot. A row
# has the item and the shipment of one position. Only the first row of an order has the order's own
# columns, so no value is sent twice.
_ROWS: Final = f"""
SELECT {prepared_sql.columns(Order, "o")}, x.*
FROM found f
CROSS JOIN LATERAL (
  SELECT *
  FROM (SELECT {prepared_sql.columns(Item, "i")} FROM orders_item i
         WHERE i.tenant_id = %(tenant)s AND i.order_id = f.id) i
  FULL JOIN (SELECT {prepared_sql.columns(Shipment, "s")} FROM orders_shipment s
              WHERE s.tenant_id = %(tenant)s AND s.order_id = f.id) s ON s.position = i.position
) x ({_names(Item, "i")}, {_names(Shipment, "s")})
LEFT JOIN orders_order o ON o.id = f.id AND coalesce(x.i_position, x.s_position) = 0
ORDER BY f.place, f.id, coalesce(x.i_position, x.s_position)
"""
_ORDER_WIDTH: Final = len(Order._meta.concrete_fields)
_ITEM_END: Final = _ORDER_WIDTH + len(Item._meta.concrete_fields)

_NAMED: Final = "SELECT id, {} AS place FROM orders_order WHERE tenant_id = %(tenant)s AND"
_UUID: Final = f"{_NAMED.format(0)} uuid = %(uuid)s"
# UNION ALL lets each look-up use its own index. More than one order matches only for legacy names,
# which were not unique.
_NUMBER: Final = f"{_NAMED.format(2)} number = %(name)s"
_NAME: Final = f"{_NAMED.format(1)} external_id = %(name)s UNION ALL {_NUMBER}"
# A name with several spellings, because legacy orders may be stored under any of them.
_SPELLINGS: Final = (
    f"{_NAMED.format(1)} external_id = ANY(%(spellings)s::text[]) UNION ALL {_NUMBER}"
)
_BY_UUID: Final = f"WITH found AS ({_UUID}) {_ROWS}"
_BY_NAME: Final = f"WITH found AS ({_NAME}) {_ROWS}"
_BY_SPELLINGS: Final = f"WITH found AS ({_SPELLINGS}) {_ROWS}"
_BY_ANY: Final = f"""
WITH found AS (SELECT id, min(place) AS place FROM ({_UUID} UNION ALL {_SPELLINGS}) n GROUP BY id)
{_ROWS}
"""
_BY_KEYS: Final = f"""
WITH found AS (SELECT id, 0 AS place FROM unnest(%(keys)s::bigint[]) AS k(id)) {_ROWS}
"""
_HISTORY: Final = f"""
WITH found AS (
  SELECT id, row_number() OVER (ORDER BY placed_at DESC, id DESC) AS place
  FROM (SELECT id, placed_at FROM orders_order
         WHERE tenant_id = %(tenant)s AND customer_key = %(key)s
         ORDER BY placed_at DESC, id DESC OFFSET %(offset)s LIMIT %(count)s) page
) {_ROWS}
"""
_TOTAL: Final = """
SELECT coalesce(sum(orders), 0) FROM orders_customertally
WHERE tenant_id = %(tenant)s AND customer_key = %(key)s
"""


class OrderNotFound(NotFound):
    code = "not_found"


class AmbiguousName(Conflict):
    """Two legacy orders have the name, because names were not unique: see docs/operators.md."""

    code = "ambiguous_order"


@dataclass(frozen=True, slots=True)
class Document:
    """An order with its items and shipments, each by position."""

    order: Order
    items: Sequence[Item]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a customer's orders, newest first, with their total number."""

    documents: Sequence[Document]
    offset: int
    total: int


def has_orders(tenant: Tenant) -> bool:
    """Return whether there is any order of the tenant."""
    return Order.objects.filter(tenant=tenant).exists()


def detail(tenant: Tenant, reference: str, *, id_type: IdType) -> Document:
    """Return one order by our id (`internal`, a UUID) or by the caller's id or number (`external`).

    Execute one statement. Raise `OrderNotFound`, also for another tenant's order, or
    `AmbiguousName`.
    """
    if id_type == "internal":
        matches = _read(_BY_UUID, {"tenant": tenant.pk, "uuid": _uuid(reference)})
    elif reference.isascii():
        matches = _read(_BY_NAME, {"tenant": tenant.pk, "name": reference})
    else:
        matches = _read(_BY_SPELLINGS, {"tenant": tenant.pk} | _name_params(reference))
    _check_unique({match.order.pk for match in matches}, reference)
    return matches[0]


def key_of(tenant: Tenant, reference: str, *, id_type: IdType | Literal["any"]) -> int:
    """Return the key of an order by our id, by the caller's id or number, or by any of them.

    Raise `OrderNotFound` or `AmbiguousName`.
    """
    keys: set[int] = set()
    if id_type == "internal" or (id_type == "any" and is_uuid(reference)):
        keys = _keys(_UUID, {"tenant": tenant.pk, "uuid": _uuid(reference)})
    if id_type != "internal":
        keys |= _keys(_SPELLINGS, {"tenant": tenant.pk} | _name_params(reference))
    _check_unique(keys, reference)
    return keys.pop()


def find_by_reference(tenant: Tenant, *, uuid: UUID, name: str | None) -> list[Document]:
    """Return the orders with this id, or with this name as external id or number.

    More than one is returned if the id and the name belong to different orders.
    """
    if name is None:
        return _read(_BY_UUID, {"tenant": tenant.pk, "uuid": uuid})
    return _read(_BY_ANY, {"tenant": tenant.pk, "uuid": uuid} | _name_params(name))


def _keys(sql: str, params: dict[str, Any]) -> set[int]:
    return {int(key) for key, _ in prepared_sql.rows(sql, params)}


def _name_params(name: str) -> dict[str, Any]:
    return {"name": names.normal(name), "spellings": names.spellings(name)}


def history(tenant: Tenant, customer_id: str, *, offset: int, count: int) -> Page:
    """Return a customer's orders, newest `placed_at` first, then last captured first.

    Execute two statements; the total is read from a stored counter.
    """
    key = customer_key(tenant, customer_id)
    total = number_of(tenant, key)
    params = {"tenant": tenant.pk, "key": key, "offset": offset, "count": count}
    return Page(_read(_HISTORY, params), offset, total)


def number_of(tenant: Tenant, customer: UUID) -> int:
    """Return the stored number of orders of the customer with this key."""
    [(total,)] = prepared_sql.rows(_TOTAL, {"tenant": tenant.pk, "key": customer})
    return int(total)


def documents(tenant_id: int, keys: Sequence[int]) -> list[Document]:
    """Return the orders with these keys, by key. Lock them first to change them."""
    return _read(_BY_KEYS, {"tenant": tenant_id, "keys": list(keys)}) if keys else []


def document(tenant_id: int, key: int) -> Document:
    """Return the order with this key, which must exist."""
    return documents(tenant_id, [key])[0]


def active_holds(tenant_id: int, keys: Sequence[int]) -> list[Hold]:
    """Return the unreleased holds of these orders, oldest first."""
    return list(
        Hold.objects.filter(tenant=tenant_id, order__in=keys, released_at__isnull=True).order_by(
            "id"
        )
    )


def _read(sql: str, params: dict[str, Any]) -> list[Document]:
    result: list[Document] = []
    for row in prepared_sql.rows(sql, params):
        if row[0] is not None:
            items: list[Item] = []
            shipments: list[Shipment] = []
            result.append(
                Document(prepared_sql.instance(Order, row[:_ORDER_WIDTH]), items, shipments)
            )
        if row[_ORDER_WIDTH] is not None:
            items.append(prepared_sql.instance(Item, row[_ORDER_WIDTH:_ITEM_END]))
        if row[_ITEM_END] is not None:
            shipments.append(prepared_sql.instance(Shipment, row[_ITEM_END:]))
    for document in result:
        by_key = {shipment.pk: shipment for shipment in document.shipments}
        for item in document.items:
            if item.shipment_id in by_key:
                item.shipment = by_key[item.shipment_id]
    return result


def is_uuid(reference: str) -> bool:
    """Return whether the reference is a UUID in its usual form."""
    try:
        return str(UUID(reference)) == reference.lower()
    except ValueError:
        return False


def _uuid(reference: str) -> UUID:
    if not is_uuid(reference):
        raise OrderNotFound(_not_found(reference))
    return UUID(reference)


def _check_unique(keys: Collection[int], reference: str) -> None:
    """Raise `OrderNotFound` without a key, and `AmbiguousName` with several."""
    if not keys:
        raise OrderNotFound(_not_found(reference))
    if len(keys) > 1:
        raise AmbiguousName(
            f"Two orders are called '{reference[:64]}'; ask for the one you mean by its UUID."
        )


def _not_found(reference: str) -> str:
    return f"The order '{reference[:64]}' couldn't be found."
