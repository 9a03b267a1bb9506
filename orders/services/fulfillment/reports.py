"""What locations report of an order's items: packing, complete, rejected, returned; §4.8.

A report may be repeated: what an item already says with the same content changes nothing.
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
    """Why a location cannot, as subscribers hear it."""

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
    """What is said of one item; what does not belong to the action is ignored."""

    item: UUID
    tracking_code: str = ""
    carrier: str = ""
    reason: str = ""  # one of `Rejection` for reject (its absence: cannot_fulfill), else any text


Reported = list[tuple[Item, Report]]


def report(
    *, tenant: Tenant, reference: str, action: Action, reports: Sequence[Report], actor: str
) -> tuple[Order, list[Item]]:
    """Take what a location reports of some items: all of it, or none.

    Returns the order and the items named, as they are now. Raises `OrderNotFound`,
    `selection.TooManyItems`, `selection.ItemNotFound`, `BadReport`, and
    `lifecycle.TransitionNotAllowed` for an item to which this cannot happen now.
    """
    selection.check_number(reports)
    if len({r.item for r in reports}) < len(reports):
        raise BadReport("An item is named more than once.")
    is_said, take = _ACTIONS[action]
    with change_order(tenant, reference, id_type="any", actor=actor) as change:
        named = selection.select(change.items, [r.item for r in reports])
        pairs = zip(named, reports, strict=True)
        if fresh := [(item, r) for item, r in pairs if not is_said(item, r)]:
            take(change, fresh)
    return change.order, named


def _complete(change: OrderChange, fresh: Reported) -> None:
    for item, said in fresh:
        if item.status == ItemStatus.PENDING:  # only a capture completes what was never routed
            raise not_allowed("complete", item.status)
        change.amend(item, tracking_code=said.tracking_code, carrier=said.carrier)
    at = _now()
    change.move("complete", [item for item, _ in fresh])
    for items in _by_request([item for item, _ in fresh]):
        change.record("items_completed", _facts(items), items=items, at=at)
    closing.close(change)


def _reject(change: OrderChange, fresh: Reported) -> None:
    reasons = {item.uuid: _rejection(said) for item, said in fresh}
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


def _return(change: OrderChange, fresh: Reported) -> None:
    at = _now()
    items = [item for item, _ in fresh]
    reasons = {item.uuid: report.reason for item, report in fresh}
    change.move("return", items)
    change.record(
        "returned",
        _facts(items) | {"reasons": sorted({reason for reason in reasons.values() if reason})},
        items=items,
        reasons=reasons,
        at=at,
    )


def _pack(change: OrderChange, fresh: Reported) -> None:
    items = [item for item, _ in fresh]
    for item in items:
        if item.status != ItemStatus.IN_FULFILLMENT:
            raise not_allowed("pack", item.status)
        change.amend(item, is_packing=True)
    for of_request in _by_request(items):
        change.record("packing", _facts(of_request))


# Action → whether an item says so already, and what happens when it does not.
_ACTIONS: Final[
    dict[Action, tuple[Callable[[Item, Report], bool], Callable[[OrderChange, Reported], None]]]
] = {
    "complete": (
        lambda item, said: (
            item.status == ItemStatus.COMPLETE
            and (item.tracking_code, item.carrier) == (said.tracking_code, said.carrier)
        ),
        _complete,
    ),
    "reject": (
        lambda item, said: (
            item.status == ItemStatus.ON_HOLD and item.conflict_reason == _rejection(said)
        ),
        _reject,
    ),
    "return": (lambda item, _: item.status == ItemStatus.RETURNED, _return),
    "packing": (lambda item, _: item.is_packing, _pack),
}


def _rejection(said: Report) -> str:
    reason = said.reason or Rejection.CANNOT_FULFILL.value
    if reason not in Rejection.values:
        raise BadReport(f"The reason of a rejection is one of {', '.join(Rejection.values)}.")
    return reason


def _by_request(items: Sequence[Item]) -> list[list[Item]]:
    """Apart by the request they were assigned with, and its location: one event each."""
    found: dict[tuple[int, str], list[Item]] = {}
    for item in items:
        found.setdefault((item.request_version, item.location_code), []).append(item)
    return list(found.values())


def _facts(items: Sequence[Item]) -> dict[str, Any]:
    return {"items": [item.uuid for item in items], "location": items[0].location_code}


def _now() -> dt.datetime:
    """By the database's clock; the time at which the timeline will say it happened."""
    now: dt.datetime = prepared_sql.rows("SELECT statement_timestamp()", [])[0][0]
    return now
