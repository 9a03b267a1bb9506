"""Reading orders: one order with all that belongs to it, and a customer's history."""

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
MOST_OFFSET: Final = 2**31 - 1


_ORDER: Final = f"SELECT {hot.columns(Order, 'o')} FROM orders_order o"
_BY_UUID: Final = f"{_ORDER} WHERE o.tenant_id = %s AND o.uuid = %s"
_BY_KEYS: Final = f"{_ORDER} WHERE o.tenant_id = %s AND o.id = ANY(%s::bigint[])"
_BY_EXTERNAL_ID: Final = f"{_ORDER} WHERE o.tenant_id = %s AND o.external_id = %s"
_BY_NUMBER: Final = f"{_ORDER} WHERE o.tenant_id = %s AND o.number = %s"
# UNION ALL keeps each look-up on its own index, and the order in which they count.
_BY_NAME: Final = f"{_BY_EXTERNAL_ID} UNION ALL {_BY_NUMBER}"
_BY_ANY: Final = f"{_BY_UUID} UNION ALL {_BY_NAME}"
_KEY: Final = "SELECT o.id FROM orders_order o WHERE o.tenant_id = %s AND"
_KEY_BY_UUID: Final = f"{_KEY} o.uuid = %s"
_KEY_BY_NAME: Final = f"{_KEY} o.external_id = %s UNION ALL {_KEY} o.number = %s"
_ITEMS: Final = f"""
SELECT {hot.columns(Item, "i")}, {hot.columns(Shipment, "s")}, o.version
FROM orders_item i
JOIN orders_order o ON o.tenant_id = i.tenant_id AND o.id = i.order_id
LEFT JOIN orders_shipment s ON s.id = i.shipment_id
WHERE i.tenant_id = %s AND i.order_id = ANY(%s::bigint[])
ORDER BY i.order_id, i.position
"""
_ITEM_WIDTH: Final = len(Item._meta.concrete_fields)
_HISTORY: Final = f"""
SELECT t.total, page.*
FROM (SELECT sum(c.orders) AS total FROM orders_customertally c
       WHERE c.tenant_id = %(tenant)s AND c.customer_key = %(key)s) t
LEFT JOIN LATERAL (
  {_ORDER}
  WHERE o.tenant_id = %(tenant)s AND o.customer_key = %(key)s
  ORDER BY o.placed_at DESC, o.id DESC OFFSET %(offset)s LIMIT %(count)s
) page ON true
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


def detail(tenant: Tenant, reference: str, *, id_type: IdType) -> Document:
    """One order, by our id (`internal`, a UUID) or by the caller's id or number (`external`).

    Two statements. Raises `OrderNotFound`, the same for another tenant's order as for none.
    """
    if id_type == "internal":
        found = hot.rows(_BY_UUID, [tenant.pk, _uuid(reference)])
    else:
        found = hot.rows(_BY_NAME, [tenant.pk, reference, tenant.pk, reference])
    if not found:
        raise _not_found(reference)
    # Where one order's number is another's external id, the caller's own name comes first.
    return documents([hot.instance(Order, found[0])])[0]


def standing_holds(orders: Sequence[Order]) -> list[Hold]:
    """The holds that keep these orders, all of one tenant, from being routed."""
    return list(
        Hold.objects.filter(
            tenant=orders[0].tenant_id, order__in=orders, released_at__isnull=True
        ).order_by("id")
    )


def key_of(tenant: Tenant, reference: str, *, id_type: IdType | Literal["any"]) -> int:
    """The key of an order, by our id, by the caller's id or number, or by any of them.

    Raises `OrderNotFound`.
    """
    found: list[tuple[Any, ...]] = []
    if id_type == "internal" or (id_type == "any" and is_uuid(reference)):
        found = hot.rows(_KEY_BY_UUID, [tenant.pk, _uuid(reference)])
    if not found and id_type != "internal":
        found = hot.rows(_KEY_BY_NAME, [tenant.pk, reference, tenant.pk, reference])
    if not found:
        raise _not_found(reference)
    return int(found[0][0])


def called(tenant: Tenant, *, uuid: UUID, name: str | None) -> list[Document]:
    """The orders that go by this id, or by this name as external id or number: one, if any.

    More than one where the two name different orders.
    """
    if name is None:
        found = hot.rows(_BY_UUID, [tenant.pk, uuid])
    else:
        found = hot.rows(_BY_ANY, [tenant.pk, uuid, tenant.pk, name, tenant.pk, name])
    return documents([hot.instance(Order, row) for row in {row[0]: row for row in found}.values()])


def history(tenant: Tenant, customer_id: str, *, offset: int, count: int) -> Page:
    """A customer's orders, newest `placed_at` first; of equal times the last captured first.

    Two statements whatever their number; the total is kept, not counted.
    """
    key = customer_key(tenant, customer_id)
    found = hot.rows(_HISTORY, {"tenant": tenant.pk, "key": key, "offset": offset, "count": count})
    total = found[0][0] or 0
    orders = [hot.instance(Order, row[1:]) for row in found if row[1] is not None]
    return Page(documents(orders), offset, int(total))


def documents(orders: Sequence[Order]) -> list[Document]:
    """The orders with their items and shipments, read by one statement for all of them.

    Each document is of one moment: where an order was changed after its row was read, as its
    version tells, the rows are read again.
    """
    while orders:
        found, changed = _with_items(orders)
        if not changed:
            return found
        by_key = {order.pk: order for order in orders}
        for row in hot.rows(_BY_KEYS, [orders[0].tenant_id, changed]):
            by_key[row[0]] = hot.instance(Order, row)
        orders = list(by_key.values())
    return []


def _with_items(orders: Sequence[Order]) -> tuple[list[Document], list[int]]:
    """The documents, and the keys of the orders that changed in between."""
    versions = {order.pk: order.version for order in orders}
    items: dict[int, list[Item]] = {order.pk: [] for order in orders}
    shipments: dict[int, dict[int, Shipment]] = {order.pk: {} for order in orders}
    changed = set()
    for row in hot.rows(_ITEMS, [orders[0].tenant_id, list(items)]):
        item = hot.instance(Item, row[:_ITEM_WIDTH])
        items[item.order_id].append(item)
        if item.shipment_id is not None:
            known = shipments[item.order_id]
            if item.shipment_id not in known:
                known[item.shipment_id] = hot.instance(Shipment, row[_ITEM_WIDTH:-1])
            item.shipment = known[item.shipment_id]
        if row[-1] != versions[item.order_id]:
            changed.add(item.order_id)
    found = [
        Document(
            order,
            items[order.pk],
            sorted(shipments[order.pk].values(), key=lambda shipment: shipment.position),
        )
        for order in orders
    ]
    return found, list(changed)


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
