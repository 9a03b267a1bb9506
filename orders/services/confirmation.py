"""Akinon's capture: which items of an order are confirmed for fulfillment: product §4.9.

Confirming some items of an order ends the grace period of the whole order, and it is routed when
nothing else holds it: an order is routed once. What was confirmed is remembered per item, so the
rest can be confirmed later. Subscribers are told once, when an order's first items are confirmed;
the timeline tells every time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from configuration.models import Tenant
from ordermgmt.errors import Conflict, Invalid
from ordermgmt.values import names
from orders.lifecycle import TERMINAL, HoldKind, ItemStatus
from orders.models import Hold, Item, Order, TimelineEntry
from orders.services.changes.locking import change_order, policy_for
from orders.services.changes.order_change import OrderChange
from orders.services.holds.actions import continue_after_hold
from orders.services.reading import queries
from orders.services.reading.queries import AmbiguousName, Document, OrderNotFound

MOST_ATTRIBUTES: Final = 100  # of one item, as at its capture


class OrderCancelled(Conflict):
    code = "order_cancelled"


class OrderClosed(Conflict):
    code = "order_closed"


class ItemNotOfOrder(Invalid):
    code = "invalid"


class TooManyAttributes(Invalid):
    code = "invalid"


@dataclass(frozen=True, slots=True)
class Choice:
    """One item to confirm, by its key, and what is now known of it."""

    pk: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """An order with what else Akinon's clients are told of it."""

    document: Document
    holds: frozenset[str]  # the kinds that stand
    changed_at: datetime
    cancellation: Mapping[str, Any]  # what the timeline says of the last one; empty without


def confirm(*, tenant: Tenant, name: str, choices: Sequence[Choice] | None, actor: str) -> Account:
    """Confirm these items of the order called so, or all that still can be; repeating is harmless.

    Raises `OrderNotFound`, `AmbiguousName`, `ItemNotOfOrder`, `TooManyAttributes`; and
    `OrderCancelled` or `OrderClosed` for what has ended without having been confirmed.
    """
    uuid = _uuid_of(tenant, name)
    with change_order(tenant, str(uuid), id_type="internal", actor=actor) as change:
        fresh = _confirmable(change.items, _chosen(change.items, choices), is_named=bool(choices))
        amended = _merge(change.items, choices or ())
        if fresh or amended:
            _tell(change, fresh, amended)
        if fresh:
            keys = [item.pk for item in fresh]
            Item.objects.filter(tenant=tenant, pk__in=keys).update(confirmed_at=Now())
            _end_grace(change, tenant)
        if amended:
            Item.objects.bulk_update(amended, ["attributes"])
    return account(tenant, uuid)


def account(tenant: Tenant, uuid: UUID) -> Account:
    """The order as it is now. Raises `OrderNotFound`."""
    document = queries.detail(tenant, str(uuid), id_type="internal")
    notes_for_order = {"tenant": tenant, "order": document.order}
    holds = Hold.objects.filter(**notes_for_order, released_at__isnull=True)
    entries = TimelineEntry.objects.filter(**notes_for_order)
    cancelled = entries.filter(verb__in=["cancelled", "items_cancelled"]).order_by("-version")
    return Account(
        document,
        frozenset(holds.values_list("kind", flat=True)),
        entries.latest("version").at,
        cancelled.values_list("facts", flat=True).first() or {},
    )


def _uuid_of(tenant: Tenant, name: str) -> UUID:
    is_called = Q(external_id__in=names.spellings(name)) | Q(number=name)
    find_by_reference = Order.objects.filter(is_called, tenant=tenant)
    found = list(find_by_reference.values_list("uuid", flat=True)[:2])
    if not found:
        raise OrderNotFound("Not found.")
    if len(found) > 1:
        raise AmbiguousName("One order has this number, and another this external id.")
    return found[0]


def _chosen(items: Sequence[Item], choices: Sequence[Choice] | None) -> list[Item]:
    """The items asked for; without choices, all that were not cancelled."""
    live = [item for item in items if item.status != ItemStatus.CANCELLED]
    if not live:
        raise OrderCancelled("The order is cancelled.")
    if choices is None:
        return live
    known = {item.pk: item for item in items}
    faults = [
        {"pointer": f"/order_items/{n}/pk", "message": "the order has no such item"}
        for n, choice in enumerate(choices)
        if choice.pk not in known
    ]
    if faults:
        raise ItemNotOfOrder("The order has no such item.", errors=faults)
    chosen = [known[choice.pk] for choice in choices]
    if any(item.status == ItemStatus.CANCELLED for item in chosen):
        raise OrderCancelled("One of the items is cancelled.")
    return chosen


def _confirmable(items: Sequence[Item], chosen: Sequence[Item], *, is_named: bool) -> list[Item]:
    """Those that were not confirmed yet; refuses what has ended without having been."""
    waiting = [item for item in chosen if item.confirmed_at is None]
    ended = [item for item in waiting if item.status in TERMINAL]
    if ended and (is_named or len(ended) == len(chosen)):
        raise OrderClosed("The order, or one of the items, is closed.")
    return [item for item in waiting if item.status not in TERMINAL]


def _merge(items: Sequence[Item], choices: Sequence[Choice]) -> list[Item]:
    """Put what is known now beside and over what was; the items of which that changed anything."""
    known = {item.pk: item for item in items}
    amended = []
    for choice in choices:
        item = known[choice.pk]
        before = {said["name"]: said["value"] for said in item.attributes}
        after = before | dict(choice.attributes)
        if after == before:
            continue
        if len(after) > MOST_ATTRIBUTES:
            raise TooManyAttributes(f"An item has at most {MOST_ATTRIBUTES} attributes.")
        item.attributes = [{"name": name, "value": value} for name, value in after.items()]
        amended.append(item)
    return amended


def _tell(change: OrderChange, fresh: Sequence[Item], amended: Sequence[Item]) -> None:
    facts: dict[str, Any] = {"rule": "akinon_capture"}
    if amended:
        facts["amended"] = [item.uuid for item in amended]
    if not fresh:
        change.record("items_amended", facts)
        return
    facts["items"] = [item.uuid for item in fresh]
    change.record("confirmed", facts, items=fresh)


def _end_grace(change: OrderChange, tenant: Tenant) -> None:
    """A grace period is time to think again; who confirms has thought."""
    grace = [hold for hold in change.standing if hold.kind == HoldKind.GRACE]
    for hold in grace:
        change.release(hold, reason="order_captured")
    if grace:
        continue_after_hold(change, policy_for(tenant, change))
