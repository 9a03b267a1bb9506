"""Confirmation of items for fulfillment (Akinon's capture).

The first confirmation of an order ends its grace period, and the whole order is routed when no
other hold is active. Each item stores its confirmation, therefore the rest can be confirmed later.
The first confirmation announces an event; every confirmation is in the timeline.
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
    """One item to confirm, by its key, with attributes to add or replace."""

    pk: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """An order with the further data that Akinon's clients receive."""

    document: Document
    holds: frozenset[str]  # the kinds of active holds
    changed_at: datetime
    cancellation: Mapping[str, Any]  # facts of the latest one; empty if there is none


def confirm(*, tenant: Tenant, name: str, choices: Sequence[Choice] | None, actor: str) -> Account:
    """Confirm these items of the order with this number or external id; without choices, all.

    A repeated confirmation changes nothing. Raise `OrderNotFound`, `AmbiguousName`,
    `ItemNotOfOrder`, `TooManyAttributes`, and `OrderCancelled` or `OrderClosed` for items that
    ended without a confirmation.
    """
    uuid = _uuid_of(tenant, name)
    with change_order(tenant, str(uuid), id_type="internal", actor=actor) as change:
        selection = _select(change.items, choices)
        fresh = _confirmable(selection, is_named=bool(choices))
        amended = _merge(change.items, choices or ())
        if fresh or amended:
            _record(change, fresh, amended)
        if fresh:
            keys = [item.pk for item in fresh]
            Item.objects.filter(tenant=tenant, pk__in=keys).update(confirmed_at=Now())
            _end_grace(change, tenant)
        if amended:
            Item.objects.bulk_update(amended, ["attributes"])
    return account(tenant, uuid)


def account(tenant: Tenant, uuid: UUID) -> Account:
    """Return the order as it is now. Raise `OrderNotFound`."""
    document = queries.detail(tenant, str(uuid), id_type="internal")
    holds = Hold.objects.filter(tenant=tenant, order=document.order, released_at__isnull=True)
    entries = TimelineEntry.objects.filter(tenant=tenant, order=document.order)
    cancellations = entries.filter(verb__in=["cancelled", "items_cancelled"]).order_by("-version")
    return Account(
        document,
        frozenset(holds.values_list("kind", flat=True)),
        entries.latest("version").at,
        cancellations.values_list("facts", flat=True).first() or {},
    )


def _uuid_of(tenant: Tenant, name: str) -> UUID:
    has_name = Q(external_id__in=names.spellings(name)) | Q(number=name)
    orders = Order.objects.filter(has_name, tenant=tenant)
    uuids = list(orders.values_list("uuid", flat=True)[:2])
    if not uuids:
        raise OrderNotFound("Not found.")
    if len(uuids) > 1:
        raise AmbiguousName("One order has this number, and another this external id.")
    return uuids[0]


def _select(items: Sequence[Item], choices: Sequence[Choice] | None) -> list[Item]:
    """Return the items of the choices; without choices, all that are not cancelled."""
    live = [item for item in items if item.status != ItemStatus.CANCELLED]
    if not live:
        raise OrderCancelled("The order is cancelled.")
    if choices is None:
        return live
    by_key = {item.pk: item for item in items}
    faults = [
        {"pointer": f"/order_items/{n}/pk", "message": "the order has no such item"}
        for n, choice in enumerate(choices)
        if choice.pk not in by_key
    ]
    if faults:
        raise ItemNotOfOrder("The order has no such item.", errors=faults)
    selection = [by_key[choice.pk] for choice in choices]
    if any(item.status == ItemStatus.CANCELLED for item in selection):
        raise OrderCancelled("One of the items is cancelled.")
    return selection


def _confirmable(items: Sequence[Item], *, is_named: bool) -> list[Item]:
    """Return the items without a confirmation. Raise `OrderClosed` if such an item has ended.

    Items that the caller did not name raise only when all of them have ended.
    """
    waiting = [item for item in items if item.confirmed_at is None]
    ended = [item for item in waiting if item.status in TERMINAL]
    if ended and (is_named or len(ended) == len(items)):
        raise OrderClosed("The order, or one of the items, is closed.")
    return [item for item in waiting if item.status not in TERMINAL]


def _merge(items: Sequence[Item], choices: Sequence[Choice]) -> list[Item]:
    """Merge the attributes of the choices into the items, and return the items that changed."""
    by_key = {item.pk: item for item in items}
    amended = []
    for choice in choices:
        item = by_key[choice.pk]
        before = {attribute["name"]: attribute["value"] for attribute in item.attributes}
        after = before | dict(choice.attributes)
        if after == before:
            continue
        if len(after) > MOST_ATTRIBUTES:
            raise TooManyAttributes(f"An item has at most {MOST_ATTRIBUTES} attributes.")
        item.attributes = [{"name": name, "value": value} for name, value in after.items()]
        amended.append(item)
    return amended


def _record(change: OrderChange, fresh: Sequence[Item], amended: Sequence[Item]) -> None:
    facts: dict[str, Any] = {"rule": "akinon_capture"}
    if amended:
        facts["amended"] = [item.uuid for item in amended]
    if not fresh:
        change.record("items_amended", facts)
        return
    facts["items"] = [item.uuid for item in fresh]
    change.record("confirmed", facts, items=fresh)


def _end_grace(change: OrderChange, tenant: Tenant) -> None:
    holds = [hold for hold in change.active_holds if hold.kind == HoldKind.GRACE]
    for hold in holds:
        change.release(hold, reason="order_captured")
    if holds:
        continue_after_hold(change, policy_for(tenant, change))
