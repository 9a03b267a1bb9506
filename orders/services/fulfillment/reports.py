"""Reports of locations about items: packing, complete, rejected and returned.

A repeated report with the same content changes nothing.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import TextChoices

from configuration.models import Tenant
from configuration.services.policy import NO_LOCATION
from ordermgmt.database import prepared_sql
from ordermgmt.errors import Invalid
from orders.lifecycle import ItemStatus, not_allowed
from orders.models import Item, Order
from orders.services.changes import closing
from orders.services.changes.locking import change_order
from orders.services.changes.order_change import OrderChange
from orders.services.reading import selection

Action = Literal["complete", "reject", "return", "packing"]


class Rejection(TextChoices):
    """The public reasons of a location that cannot fulfill an item."""

    NO_INVENTORY = "no_inventory"
    CANCELLATION_REQUEST = "cancellation_request"
    CANNOT_FULFILL = "cannot_fulfill"
    REFUSED = "refused"
    DAMAGED_ITEMS = "damaged_items"
    RESCINDED = "rescinded"


class BadReport(Invalid):
    code = "bad_request"


@dataclass(frozen=True, slots=True)
class Report:
    """A report about one item; fields that do not belong to the action are ignored."""

    item: UUID
    tracking_code: str = ""
    carrier: str = ""
    reason: str = ""  # for reject one of `Rejection` (default: cannot_fulfill), otherwise any text


ItemReports = list[tuple[Item, Report]]


def report(
    *, tenant: Tenant, reference: str, action: Action, reports: Sequence[Report], actor: str
) -> tuple[Order, list[Item]]:
    """Apply the reports of a location, all or none, and return the order and the named items.

    Raise `OrderNotFound`, `selection.TooManyItems`, `selection.ItemNotFound`, `BadReport`, and
    `lifecycle.TransitionNotAllowed` for an item with a status that does not allow the action.
    """
    selection.check_number(reports)
    if len({r.item for r in reports}) < len(reports):
        raise BadReport("An item is named more than once.")
    handler = _HANDLERS[action]
    with change_order(tenant, reference, id_type="any", actor=actor) as change:
        items = selection.select(change.items, [r.item for r in reports])
        pairs = zip(items, reports, strict=True)
        if fresh := [(item, r) for item, r in pairs if not handler.is_applied(item, r)]:
            handler.apply(change, fresh)
    return change.order, items


def _complete(change: OrderChange, fresh: ItemReports) -> None:
    for item, r in fresh:
        if item.status == ItemStatus.PENDING:  # only a capture completes items without routing
            raise not_allowed("complete", item.status)
        change.amend(item, tracking_code=r.tracking_code, carrier=r.carrier)
    at = _now()
    change.move("complete", [item for item, _ in fresh])
    for items in _by_request([item for item, _ in fresh]):
        change.record("items_completed", _facts(items), items=items, at=at)
    closing.close(change)


def _reject(change: OrderChange, fresh: ItemReports) -> None:
    reasons = {item.uuid: _rejection(r) for item, r in fresh}
    for items in _by_request([item for item, _ in fresh]):
        request_version, location = items[0].request_version, items[0].location_code
        facts = _facts(items) | {"reasons": sorted({reasons[i.uuid] for i in items})}
        for item in items:
            change.move("reject", [item], place=NO_LOCATION, conflict=reasons[item.uuid])
        change.record(
            "items_rejected",
            facts,
            items=items,
            request_version=request_version,
            location=location,
        )


def _return(change: OrderChange, fresh: ItemReports) -> None:
    at = _now()
    items = [item for item, _ in fresh]
    reasons = {item.uuid: r.reason for item, r in fresh}
    change.move("return", items)
    change.record(
        "returned",
        _facts(items) | {"reasons": sorted({reason for reason in reasons.values() if reason})},
        items=items,
        reasons=reasons,
        at=at,
    )


def _pack(change: OrderChange, fresh: ItemReports) -> None:
    items = [item for item, _ in fresh]
    for item in items:
        if item.status != ItemStatus.IN_FULFILLMENT:
            raise not_allowed("pack", item.status)
        change.amend(item, is_packing=True)
    for request_items in _by_request(items):
        change.record("packing", _facts(request_items))


@dataclass(frozen=True, slots=True)
class _Handler:
    """The check whether a report is applied already, and the function that applies new ones."""

    is_applied: Callable[[Item, Report], bool]
    apply: Callable[[OrderChange, ItemReports], None]


_HANDLERS: Final[dict[Action, _Handler]] = {
    "complete": _Handler(
        is_applied=lambda item, r: (
            item.status == ItemStatus.COMPLETE
            and (item.tracking_code, item.carrier) == (r.tracking_code, r.carrier)
        ),
        apply=_complete,
    ),
    "reject": _Handler(
        is_applied=lambda item, r: (
            item.status == ItemStatus.ON_HOLD and item.conflict_reason == _rejection(r)
        ),
        apply=_reject,
    ),
    "return": _Handler(
        is_applied=lambda item, _: item.status == ItemStatus.RETURNED, apply=_return
    ),
    "packing": _Handler(is_applied=lambda item, _: item.is_packing, apply=_pack),
}


def _rejection(r: Report) -> str:
    """Return the reason of a rejection. Raise `BadReport` for an unknown one."""
    reason = r.reason or Rejection.CANNOT_FULFILL.value
    if reason not in Rejection.values:
        raise BadReport(f"The reason of a rejection is one of {', '.join(Rejection.values)}.")
    return reason


def _by_request(items: Sequence[Item]) -> list[list[Item]]:
    """Return the items grouped by fulfillment request and location, one event each."""
    requests: dict[tuple[int, str], list[Item]] = {}
    for item in items:
        requests.setdefault((item.request_version, item.location_code), []).append(item)
    return list(requests.values())


def _facts(items: Sequence[Item]) -> dict[str, Any]:
    return {"items": [item.uuid for item in items], "location": items[0].location_code}


def _now() -> dt.datetime:
    """Return the time by the database's clock, which also dates the timeline entries."""
    now: dt.datetime = prepared_sql.rows("SELECT statement_timestamp()", [])[0][0]
    return now
