"""Which order a capture is about, and whether it says the same again: product §4.1, Identity."""

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
    """The documented 409; `differences` are JSON pointers into what was sent."""

    code = "conflict"

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__(
            "Order capture payload is conflicting with existing database records.",
            differences=list(differences[:100]),
        )


def order_uuid(new: NewOrder, tenant_uuid: UUID) -> UUID:
    """The order's id: the caller's, or one that follows from what the caller calls it.

    With neither an id nor an external id, the items' ids name the order. A capture that names
    nothing at all cannot be recognized when it comes again: each makes a new order.
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
    """Return what else the external id is: a UUID, and other spellings of itself."""
    name = new.name
    if not name:
        return _NO_KIN
    is_uuid = len(name) == _UUID_LENGTH and queries.is_uuid(name)
    if name.isascii() and not is_uuid:
        return _NO_KIN
    return Kin(UUID(name) if is_uuid else None, *names.spellings(name)[1:])


def item_uuids(new: NewOrder, order: UUID) -> list[UUID]:
    """The items' ids, in order: the caller's, or ones that follow from the order's.

    Callers repeat an `external_item_id` for several units: its first unit, second unit … each
    get an id of their own, the same ones when the capture is repeated.
    """
    seen: Counter[str] = Counter()
    uuids = []
    for position, item in enumerate(new.items):
        if item.id:
            uuids.append(item.id)
            continue
        name = names.normal(item.external_item_id)
        uuids.append(uuid5(order, f"item:{name}:{seen[name]}" if name else f"item#{position}"))
        seen[name] += 1
    return uuids


def shipment_uuids(new: NewOrder, order: UUID) -> list[UUID]:
    """The shipments' ids, in order: the caller's, or ones that follow from the order's."""
    return [s.id or uuid5(order, f"shipment#{n}") for n, s in enumerate(new.shipments)]


def snapshot(new: NewOrder, method: str) -> dict[str, Any]:
    """An order's `details` as they are kept: what was said, with gift wrapping priced."""
    details = dict(new.details)
    wrapping = details.get("gift_wrapping")
    if wrapping is not None:  # one of which nothing but its price was said is empty
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
    """JSON pointers to what a capture says differently from the stored order.

    Only what is said is compared: what a caller leaves out contradicts nothing. Items the order
    does not have yet are additions and no difference; nor are the shipments and payments that
    come with them, and only with them.
    """
    method = order.price_method
    found = []
    if new.id and new.id != order.uuid:
        found.append("/id")
    if new.name is not None and new.name != names.normal(order.external_id):
        found.append("/external_id")
    found += [
        f"/{name}" for name, value in new.said.items() if not _is_same(getattr(order, name), value)
    ]
    details = snapshot(new, method)
    payments = details.pop("payments", [])
    for name, value in details.items():
        found += _different(order.details.get(name), value, f"/{name}")
    uuids, shipment_ids = item_uuids(new, order.uuid), shipment_uuids(new, order.uuid)
    adds = any(uuid not in items for uuid in uuids)
    found += _different_payments(order.details.get("payments", []), payments, adds=adds)
    for path, uuid, item in zip(new.item_paths(), uuids, new.items, strict=True):
        if stored := items.get(uuid):
            said = {
                "product_id": item.product_id,
                "external_item_id": item.external_item_id,
                "is_preorder": item.is_preorder,
                "price": item.price.under(method),
                "details": item.details,
            }
            found += _different_parts(stored, said, path)
            # One captured before shipments of items handed over were kept has none.
            named = shipment_ids[item.shipment or 0] if item.names_shipment else None
            if named and stored.shipment and stored.shipment.uuid != named:
                found.append(f"{path}/shipment_id")
    for n, (uuid, shipment) in enumerate(zip(shipment_ids, new.shipments, strict=True)):
        if stored_shipment := shipments.get(uuid):
            said = {
                "service_level": shipment.service_level,
                "strategy": shipment.strategy,
                "location_code": shipment.location_code,
                "price": shipment.price.under(method),
                "details": shipment.details,
            }
            found += _different_parts(stored_shipment, said, f"/shipments/{n}")
        elif not adds:
            found.append(f"/shipments/{n}")
    return found


def _different_parts(stored: Item | Shipment, said: dict[str, Any], path: str) -> Iterator[str]:
    price: Price = said.pop("price")
    details: dict[str, Any] = said.pop("details")
    yield from (
        f"{path}/{name}" for name, v in said.items() if not _is_same(getattr(stored, name), v)
    )
    if any(getattr(stored, name) != getattr(price, name) for name in _AMOUNTS):
        yield f"{path}/price"
    for name, value in details.items():
        yield from _different(stored.details.get(name), value, f"{path}/{name}")


def _different_payments(
    stored: list[dict[str, Any]], said: list[dict[str, Any]], *, adds: bool
) -> Iterator[str]:
    """Payments are known by their reference, which several may share where totals go unchecked."""
    for n, payment in enumerate(said):
        reference = names.normal(payment["correlation_ref"])
        found = [
            list(_different(before, payment, f"/payments/{n}"))
            for before in stored
            if names.normal(before["correlation_ref"]) == reference
        ]
        if found:
            yield from min(found, key=len)
        elif not adds:
            yield f"/payments/{n}"


def _different(stored: Any, said: Any, path: str) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(said, dict):
        for name, value in said.items():
            yield from _different(stored.get(name), value, f"{path}/{name}")
    elif not _is_same(stored, said, is_email=path.endswith("/email")):
        yield path


def _is_same(stored: Any, said: Any, *, is_email: bool = False) -> bool:
    """Return whether the values are equal; texts are compared in their normal form."""
    if stored == said:
        return True
    if not isinstance(stored, str) or not isinstance(said, str):
        return False
    form = names.normal_email if is_email else names.normal
    return form(stored) == form(said)
