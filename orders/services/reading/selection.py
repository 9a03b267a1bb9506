"""The items a caller names: each of the order, at most so many, or the call is refused whole."""

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


def check_number(named: Sequence[object]) -> None:
    """Raises `TooManyItems`, in the documented words."""
    if len(named) > MOST:
        raise TooManyItems(f"The number of products can't exceed {MOST}.")


def select(
    items: Sequence[Item],
    uuids: Sequence[UUID],
    *,
    refusal: type[Invalid] = ItemNotFound,
) -> list[Item]:
    """The items of these ids, in their order; raises `refusal` for the first that is not there."""
    known = {item.uuid: item for item in items}
    for uuid in uuids:
        if uuid not in known:
            raise refusal(f"The sales order item with id {uuid} cannot be found.")
    return [known[uuid] for uuid in uuids]
