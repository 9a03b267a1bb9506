"""Reading orders: one order with all that belongs to it, and a customer's history."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from configuration.models import Tenant
from configuration.services.pseudonyms import customer_key
from ordermgmt import hot
from ordermgmt.errors import NotFound
from orders.models import Hold, Item, Order, Shipment

IdType = Literal["internal", "external"]


# Everything that belongs to the orders `found`, in one statement and so of one moment. An order's
# own columns come with its first item only.
_ROWS: Final = f"""
SELECT {hot.columns(Order, "o")}, {hot.columns(Item, "i")}, {hot.columns(Shipment, "s")}
FROM found f
JOIN orders_item i ON i.tenant_id = %(tenant)s AND i.order_id = f.id
LEFT JOIN orders_order o ON o.id = f.id AND i.position = 0
LEFT JOIN orders_shipment s ON s.id = i.shipment_id
ORDER BY f.place, f.id, i.position
"""
_ORDER_WIDTH: Final = len(Order._meta.concrete_fields)
_ITEM_END: Final = _ORDER_WIDTH + len(Item._meta.concrete_fields)

_NAMED: Final = "SELECT id, {} AS place FROM orders_order WHERE tenant_id = %(tenant)s AND"
_UUID: Final = f"{_NAMED.format(0)} uuid = %(uuid)s"
# UNION ALL keeps each look-up on its own index. Where one order's number is another's external id,
# the caller's own name comes first.
_NAME: Final = (
    f"{_NAMED.format(1)} external_id = %(name)s UNION ALL {_NAMED.format(2)} number = %(name)s"
)
_BY_UUID: Final = f"WITH found AS ({_UUID}) {_ROWS}"
_BY_NAME: Final = f"WITH found AS ({_NAME}) {_ROWS}"
_BY_ANY: Final = f"""
WITH found AS (SELECT id, min(place) AS place FROM ({_UUID} UNION ALL {_NAME}) n GROUP BY id)
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


@dataclass(frozen=True, slots=True)
class Document:
    """An order with its items (in order) and shipments: what is read whole."""

    order: Order
    items: Sequence[Item]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a customer's orders, newest first, and how many there are in all."""

    documents: Sequence[Document]
    offset: int
    total: int


def has_orders(tenant: Tenant) -> bool:
    """Return whether there is any order of the tenant."""
    return Order.objects.filter(tenant=tenant).exists()


def detail(tenant: Tenant, reference: str, *, id_type: IdType) -> Document:
    """One order, by our id (`internal`, a UUID) or by the caller's id or number (`external`).

    One statement. Raises `OrderNotFound`, the same for another tenant's order as for none.
    """
    if id_type == "internal":
        found = _read(_BY_UUID, {"tenant": tenant.pk, "uuid": _uuid(reference)})
    else:
        found = _read(_BY_NAME, {"tenant": tenant.pk, "name": reference})
    if not found:
        raise _not_found(reference)
    return found[0]


def key_of(tenant: Tenant, reference: str, *, id_type: IdType | Literal["any"]) -> int:
    """The key of an order, by our id, by the caller's id or number, or by any of them.

    Raises `OrderNotFound`.
    """
    found: list[tuple[Any, ...]] = []
    if id_type == "internal" or (id_type == "any" and is_uuid(reference)):
        found = hot.rows(_UUID, {"tenant": tenant.pk, "uuid": _uuid(reference)})
    if not found and id_type != "internal":
        found = hot.rows(_NAME, {"tenant": tenant.pk, "name": reference})
    if not found:
        raise _not_found(reference)
    return int(found[0][0])


def called(tenant: Tenant, *, uuid: UUID, name: str | None) -> list[Document]:
    """The orders that go by this id, or by this name as external id or number: one, if any.

    More than one where the two name different orders.
    """
    if name is None:
        return _read(_BY_UUID, {"tenant": tenant.pk, "uuid": uuid})
    return _read(_BY_ANY, {"tenant": tenant.pk, "uuid": uuid, "name": name})


def history(tenant: Tenant, customer_id: str, *, offset: int, count: int) -> Page:
    """A customer's orders, newest `placed_at` first; of equal times the last captured first.

    Two statements whatever their number; the total is kept, not counted.
    """
    key = customer_key(tenant, customer_id)
    total = number_of(tenant, key)
    asked = {"tenant": tenant.pk, "key": key, "offset": offset, "count": count}
    return Page(_read(_HISTORY, asked), offset, total)


def number_of(tenant: Tenant, customer: UUID) -> int:
    """How many orders the customer of this key has; kept, not counted."""
    [(total,)] = hot.rows(_TOTAL, {"tenant": tenant.pk, "key": customer})
    return int(total)


def documents(tenant_id: int, keys: Sequence[int]) -> list[Document]:
    """The orders with these keys, by key; lock them first to change them."""
    return _read(_BY_KEYS, {"tenant": tenant_id, "keys": list(keys)}) if keys else []


def document(tenant_id: int, key: int) -> Document:
    """The order with this key, which is there."""
    return documents(tenant_id, [key])[0]


def standing_holds(tenant_id: int, keys: Sequence[int]) -> list[Hold]:
    """The holds that keep these orders from being routed, oldest first."""
    return list(
        Hold.objects.filter(tenant=tenant_id, order__in=keys, released_at__isnull=True).order_by(
            "id"
        )
    )


def _read(sql: str, params: dict[str, Any]) -> list[Document]:
    found: list[Document] = []
    for row in hot.rows(sql, params):
        if row[0] is not None:
            items: list[Item] = []
            shipments: list[Shipment] = []
            known: dict[int, Shipment] = {}
            found.append(Document(hot.instance(Order, row[:_ORDER_WIDTH]), items, shipments))
        item = hot.instance(Item, row[_ORDER_WIDTH:_ITEM_END])
        items.append(item)
        if item.shipment_id is not None:
            if item.shipment_id not in known:
                known[item.shipment_id] = hot.instance(Shipment, row[_ITEM_END:])
                insort(shipments, known[item.shipment_id], key=_position)
            item.shipment = known[item.shipment_id]
    return found


def _position(shipment: Shipment) -> int:
    return shipment.position


def is_uuid(reference: str) -> bool:
    """Whether it is a UUID in its usual form; nothing else names an order internally."""
    try:
        return str(UUID(reference)) == reference.lower()
    except ValueError:
        return False


def _uuid(reference: str) -> UUID:
    if not is_uuid(reference):
        raise _not_found(reference)
    return UUID(reference)


def _not_found(reference: str) -> OrderNotFound:
    return OrderNotFound(f"The order '{reference[:64]}' couldn't be found.")
