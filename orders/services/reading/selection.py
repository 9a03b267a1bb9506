"""Selection of an order's items by id, for calls that fail if any item is unknown."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ordermgmt.errors import Invalid
from orders.models import Item

MOST: Final = 500


class TooManyItems(Invalid):
    code = "bad_request"


class ItemNotFound(Invalid):
    code = "sales_order_item_not_found"


def check_number(entries: Sequence[object]) -> None:
    """Raise `TooManyItems` if there are more than `MOST` entries."""
    if len(entries) > MOST:
        raise TooManyItems(f"The number of products can't exceed {MOST}.")


def select(
    items: Sequence[Item],
    uuids: Sequence[UUID],
    *,
    refusal: type[Invalid] = ItemNotFound,
) -> list[Item]:
    """Return the items with these ids in order. Raise `refusal` for the first unknown id."""
    by_uuid = {item.uuid: item for item in items}
    for uuid in uuids:
        if uuid not in by_uuid:
            raise refusal(f"The sales order item with id {uuid} cannot be found.")
    return [by_uuid[uuid] for uuid in uuids]
