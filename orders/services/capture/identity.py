"""Identity of captured orders, and comparison with what is stored: docs/contract.md, Capture."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from ordermgmt.errors import Conflict
from ordermgmt.values import names
from orders.models import Item, Order, Shipment
from orders.services.capture.draft import NewOrder, Price
from orders.services.changes.persistence import Kin
from orders.services.reading import queries

_UUID_LENGTH: Final = 36
_NO_KIN: Final = Kin()
_AMOUNTS: Final = ("base", "net", "tax", "gross", "discount")


class CaptureConflict(Conflict):
    """The documented 409; `differences` are JSON pointers into the request body."""

    code = "conflict"

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__(
            "Order capture payload is conflicting with existing database records.",
            differences=list(differences[:100]),
        )


def order_uuid(new: NewOrder, tenant_uuid: UUID) -> UUID:
    """Return the order's id: the caller's, or one derived from the external id.

    Without both it is derived from the items' ids. A capture without any of these ids gets a
    random id, so a repetition creates another order.
    """
    if new.id:
        return new.id
    if new.name is not None:
        return uuid5(tenant_uuid, f"order:{new.name}")
    ids = [item.id for item in new.items]
    if all(ids):
        return uuid5(tenant_uuid, "items:" + ",".join(sorted(map(str, ids))))
    return uuid4()


def kin(new: NewOrder) -> Kin:
    """Return the other names that the external id stands for: a UUID, and other spellings."""
    name = new.name
    if not name:
        return _NO_KIN
    is_uuid = len(name) == _UUID_LENGTH and queries.is_uuid(name)
    if name.isascii() and not is_uuid:
        return _NO_KIN
    return Kin(UUID(name) if is_uuid else None, *names.spellings(name)[1:])


def item_uuids(new: NewOrder, order: UUID) -> list[UUID]:
    """Return the items' ids in order: the caller's, or ones derived from the order's id.

    Callers repeat an `external_item_id` for several units, so the id of a unit also depends on
    its position among them. A repeated capture gets the same ids.
    """
    units: Counter[str] = Counter()
    uuids = []
    for position, item in enumerate(new.items):
        if item.id:
            uuids.append(item.id)
            continue
        name = names.normal(item.external_item_id)
        uuids.append(uuid5(order, f"item:{name}:{units[name]}" if name else f"item#{position}"))
        units[name] += 1
    return uuids


def shipment_uuids(new: NewOrder, order: UUID) -> list[UUID]:
    """Return the shipments' ids in order: the caller's, or ones derived from the order's id."""
    return [s.id or uuid5(order, f"shipment#{n}") for n, s in enumerate(new.shipments)]


def snapshot(new: NewOrder, method: str) -> dict[str, Any]:
    """Return an order's `details` as stored: what was sent, with the price of gift wrapping."""
    details = dict(new.details)
    wrapping = details.get("gift_wrapping")
    if wrapping is not None:  # empty if only its price was sent
        price = new.gift_wrapping.under(method)
        details["gift_wrapping"] = wrapping | {
            "price": {"net": price.net, "tax": price.tax, "gross": price.gross}
        }
    return details


def differences(
    new: NewOrder,
    order: Order,
    items: Mapping[UUID, Item],
    shipments: Mapping[UUID, Shipment],
) -> list[str]:
    """Return JSON pointers to the values of a capture that differ from the stored order.

    Only values that the caller sent are compared. Items that the order lacks are additions and no
    differences. New shipments and payments are differences unless they come with new items.
    """
    method = order.price_method
    pointers = []
    if new.id and new.id != order.uuid:
        pointers.append("/id")
    if new.name is not None and new.name != names.normal(order.external_id):
        pointers.append("/external_id")
    pointers += [
        f"/{name}"
        for name, value in new.columns.items()
        if not _is_same(getattr(order, name), value)
    ]
    details = snapshot(new, method)
    payments = details.pop("payments", [])
    for name, value in details.items():
        pointers += _different(order.details.get(name), value, f"/{name}")
    uuids, shipment_ids = item_uuids(new, order.uuid), shipment_uuids(new, order.uuid)
    adds = any(uuid not in items for uuid in uuids)
    pointers += _different_payments(order.details.get("payments", []), payments, adds=adds)
    for path, uuid, item in zip(new.item_paths(), uuids, new.items, strict=True):
        if stored := items.get(uuid):
            values = {
                "product_id": item.product_id,
                "external_item_id": item.external_item_id,
                "is_preorder": item.is_preorder,
                "price": item.price.under(method),
                "details": item.details,
            }
            pointers += _different_parts(stored, values, path)
            # Legacy items that were handed over in the store have no shipment.
            shipment_id = shipment_ids[item.shipment or 0] if item.names_shipment else None
            if shipment_id and stored.shipment and stored.shipment.uuid != shipment_id:
                pointers.append(f"{path}/shipment_id")
    for n, (uuid, shipment) in enumerate(zip(shipment_ids, new.shipments, strict=True)):
        if stored_shipment := shipments.get(uuid):
            values = {
                "service_level": shipment.service_level,
                "strategy": shipment.strategy,
                "location_code": shipment.location_code,
                "price": shipment.price.under(method),
                "details": shipment.details,
            }
            pointers += _different_parts(stored_shipment, values, f"/shipments/{n}")
        elif not adds:
            pointers.append(f"/shipments/{n}")
    return pointers


def _different_parts(stored: Item | Shipment, values: dict[str, Any], path: str) -> Iterator[str]:
    price: Price = values.pop("price")
    details: dict[str, Any] = values.pop("details")
    yield from (
        f"{path}/{name}" for name, v in values.items() if not _is_same(getattr(stored, name), v)
    )
    if any(getattr(stored, name) != getattr(price, name) for name in _AMOUNTS):
        yield f"{path}/price"
    for name, value in details.items():
        yield from _different(stored.details.get(name), value, f"{path}/{name}")


def _different_payments(
    stored: list[dict[str, Any]], payments: list[dict[str, Any]], *, adds: bool
) -> Iterator[str]:
    """Yield the differences from the most similar stored payment with the same reference.

    Payments may share a reference if the tenant does not check payment totals.
    """
    for n, payment in enumerate(payments):
        reference = names.normal(payment["correlation_ref"])
        candidates = [
            list(_different(before, payment, f"/payments/{n}"))
            for before in stored
            if names.normal(before["correlation_ref"]) == reference
        ]
        if candidates:
            yield from min(candidates, key=len)
        elif not adds:
            yield f"/payments/{n}"


def _different(stored: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(value, dict):
        for name, part in value.items():
            yield from _different(stored.get(name), part, f"{path}/{name}")
    elif not _is_same(stored, value, is_email=path.endswith("/email")):
        yield path


def _is_same(stored: Any, value: Any, *, is_email: bool = False) -> bool:
    """Return whether the values are equal; texts are compared in their normal form."""
    if stored == value:
        return True
    if not isinstance(stored, str) or not isinstance(value, str):
        return False
    form = names.normal_email if is_email else names.normal
    return form(stored) == form(value)
