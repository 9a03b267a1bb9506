"""Serial numbers and product codes of items (docs/contract.md, Serial numbers)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from configuration.models import Tenant
from ordermgmt.errors import Invalid
from orders.lifecycle import ItemStatus
from orders.models import Item
from orders.services.changes.locking import change_order
from orders.services.reading import queries, selection


class NotAUuid(Invalid):
    code = "bad_request"


class TwoSerialNumbers(Invalid):
    code = "bad_request"


class SerialNumberGivenTwice(Invalid):
    """One call names the same serial number for two units of one product."""

    code = "bad_request"


class ItemCancelled(Invalid):
    """A cancelled item is never handed over, so it has no serial number."""

    code = "bad_request"


@dataclass(frozen=True, slots=True)
class Serial:
    """The serial number for an item; without `epc` the item keeps its own."""

    item: UUID
    number: str
    epc: dict[str, Any] | None = None


def attach(*, tenant: Tenant, order: str, serials: Sequence[Serial], actor: str) -> None:
    """Set the serial numbers of items, all or none, in place of those they have.

    Items that do not change are not recorded. Raise `selection.TooManyItems`, `NotAUuid`,
    `TwoSerialNumbers` for one item, `OrderNotFound`, `selection.ItemNotFound`, `ItemCancelled` and
    `SerialNumberGivenTwice`.
    """
    selection.check_number(serials)
    if not queries.is_uuid(order):
        raise NotAUuid(f"The provided order id {order[:64]} is not a valid uuid.")
    by_item: dict[UUID, Serial] = {}
    for serial in serials:
        if by_item.setdefault(serial.item, serial) != serial:
            raise TwoSerialNumbers(f"Item {serial.item} is given two serial numbers.")
    with change_order(tenant, order, id_type="internal", actor=actor) as change:
        items = selection.select(change.items, list(by_item))
        _check(items, by_item)
        pairs = zip(items, by_item.values(), strict=True)
        changed = [item for item, serial in pairs if not _has_serial(item, serial)]
        if not changed:
            return
        before = [item.serial_number for item in changed if item.serial_number]
        for item in changed:
            serial = by_item[item.uuid]
            epc = item.epc if serial.epc is None else serial.epc
            change.amend(item, serial_number=serial.number, epc=epc)
        change.record(
            "serial_numbers_added",
            {"items": {str(i.uuid): i.serial_number for i in changed}, "replaced": before},
            items=changed,
        )


def _check(items: Sequence[Item], serials: Mapping[UUID, Serial]) -> None:
    """Raise `ItemCancelled`, or `SerialNumberGivenTwice` for two units of one product."""
    carriers: dict[tuple[str, str], Item] = {}
    for item in items:
        if item.status == ItemStatus.CANCELLED:
            raise ItemCancelled(f"Item {item.uuid} is cancelled and takes no serial number.")
        unit = (item.product_id, serials[item.uuid].number)
        if (other := carriers.setdefault(unit, item)) is not item:
            raise SerialNumberGivenTwice(
                f"Items {other.uuid} and {item.uuid} are of one product"
                " and given one serial number."
            )


def _has_serial(item: Item, serial: Serial) -> bool:
    return item.serial_number == serial.number and serial.epc in (None, item.epc)
