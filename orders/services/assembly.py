"""From what a caller said to the rows of a new order: statuses, holds, routing, timeline.

Pure: everything here follows from the capture and the policy, so it is tested without a clock or
a database. `writing` stores the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from configuration.models import Tenant
from configuration.services.policy import Policy
from configuration.services.pseudonyms import customer_id_for, customer_key
from ordermgmt.fields import as_stored
from orders.lifecycle import HoldKind, ItemStatus, OrderStatus, moved, order_status
from orders.models import Hold, Item, Order, PriceMethod, Shipment, TimelineEntry
from orders.services import announcements, identity, pricing
from orders.services.announcements import shipping_method
from orders.services.draft import IN_STORE_HANDOVER, NewItem, NewOrder, NewShipment
from orders.services.holds import Reason, judge
from orders.services.routing import Decision, decide
from orders.services.writing import Graph
from webhooks.services import News

FULFILLMENT_TYPES: Final = {
    "traditional_carrier": "traditional",
    "same_day_delivery": "same_day_delivery",
    "in_store_pick_up": "in_store_pickup",
    "in_store_handover": "in_store_purchase",
}


@dataclass(slots=True)
class Story:
    """A new order's rows as they come into being, and what subscribers will be told.

    Announcements are made last, by `news`: they name the order by its number, which only the
    database knows.
    """

    graph: Graph
    actor: str
    _announced: list[tuple[str, int, Callable[[int], dict[str, Any]]]] = field(default_factory=list)

    def tell(
        self,
        verb: str,
        facts: dict[str, Any],
        event: str | None = None,
        payload: Callable[[int], dict[str, Any]] | None = None,
    ) -> None:
        """One row of the timeline, and the event it announces, if any."""
        order = self.graph.order
        order.version = len(self.graph.timeline) + 1
        self.graph.timeline.append(
            TimelineEntry(
                tenant_id=order.tenant_id,
                version=order.version,
                actor=self.actor,
                verb=verb,
                facts=facts,
            )
        )
        if event and payload:
            self._announced.append((event, order.version, payload))

    def news(self) -> list[News]:
        return [News(name, version, payload(version)) for name, version, payload in self._announced]


def assemble(new: NewOrder, *, tenant: Tenant, policy: Policy, actor: str) -> Story:
    """A new order with all its rows, unsaved. Refuses amounts that cannot be (§4.1)."""
    order = _order(new, tenant)
    shipments = build_shipments(
        new.shipments, order, policy, identity.shipment_uuids(new, order.uuid)
    )
    items = build_items(new.items, order, shipments, identity.item_uuids(new, order.uuid))
    names = [str(item.uuid) for item in items]
    pricing.check_all(new, currency=order.currency, method=order.price_method, names=names)
    wrapping = new.gift_wrapping.under(order.price_method).gross
    for name, amount in pricing.totals(items, shipments, wrapping).items():
        setattr(order, name, amount)
    if tenant.checks_payment_totals:
        pricing.check_payments(
            order.details.get("payments", []), total=order.total, currency=order.currency
        )
    story = Story(Graph(order, shipments, items), actor)
    _begin(story, new, policy)
    order.fulfillment_type = fulfillment_type(items)
    order.status = order_status(item.status for item in items)
    return story


def build_shipments(
    new: Sequence[NewShipment], order: Order, policy: Policy, uuids: Sequence[Any], first: int = 0
) -> list[Shipment]:
    """Unsaved shipments, numbered from `first`; their service levels say what they ship by."""
    built = []
    for position, (uuid, shipment) in enumerate(zip(uuids, new, strict=True), first):
        price = shipment.price.under(order.price_method)
        level = policy.service_levels.get(shipment.service_level)
        if shipment.service_level == IN_STORE_HANDOVER:
            method = announcements.HANDOVER
        else:
            method = level.shipping_type if level else "traditional_carrier"
        built.append(
            Shipment(
                tenant_id=order.tenant_id,
                uuid=uuid,
                position=position,
                service_level=shipment.service_level,
                shipping_method=method,
                strategy=shipment.strategy,
                location_code=shipment.location_code,
                base=price.base,
                net=price.net,
                tax=price.tax,
                gross=price.gross,
                discount=price.discount,
                details=as_stored(shipment.details),
            )
        )
    return built


def build_items(
    new: Sequence[NewItem],
    order: Order,
    shipments: Sequence[Shipment],
    uuids: Sequence[Any],
    first: int = 0,
) -> list[Item]:
    """Unsaved, pending items, numbered from `first`."""
    built = []
    for position, (uuid, item) in enumerate(zip(uuids, new, strict=True), first):
        price = item.price.under(order.price_method)
        shipment = shipments[item.shipment] if item.shipment is not None else None
        in_store = shipment is not None and shipment.shipping_method == announcements.HANDOVER
        built.append(
            Item(
                tenant_id=order.tenant_id,
                shipment=shipment,
                uuid=uuid,
                position=position,
                external_item_id=item.external_item_id,
                product_id=item.product_id,
                status=ItemStatus.PENDING,
                is_in_store=item.is_in_store or in_store,
                is_preorder=item.is_preorder,
                serial_number=item.details.get("external_identifier", {}).get("serial_number", ""),
                base=price.base,
                net=price.net,
                tax=price.tax,
                gross=price.gross,
                discount=price.discount,
                details=as_stored(item.details),
                attributes=item.details.get("extended_attributes", []),
            )
        )
    return built


def fulfillment_type(items: Sequence[Item]) -> str:
    """How an order reaches the customer; a mixed cart is always `multiple` (§b.1)."""
    types = {FULFILLMENT_TYPES[shipping_method(item)] for item in items}
    return types.pop() if len(types) == 1 else "multiple"


def _order(new: NewOrder, tenant: Tenant) -> Order:
    customer = new.details.get("customer", {})
    customer_id = customer_id_for(
        tenant, customer, external_id=new.details.get("external_customer_id")
    )
    columns: dict[str, Any] = {
        "channel_type": "web",
        "shop": tenant.shop,
        "shop_locale": tenant.shop_locale,
        "price_method": PriceMethod.TAX_EXCLUDED,
        "placed_at": datetime.now(UTC),
    } | new.said
    return Order(
        tenant_id=tenant.pk,
        uuid=identity.order_uuid(new, tenant.uuid),
        external_id=new.external_id or "",
        status=OrderStatus.ON_HOLD,
        customer_id=customer_id,
        customer_key=customer_key(tenant, customer_id) if customer_id else None,
        customer_email=customer.get("email", ""),
        details=as_stored(identity.snapshot(new, columns["price_method"])),
        **columns,
    )


def _begin(story: Story, new: NewOrder, policy: Policy) -> None:
    """How an order's life begins: gone at once, held, or on its way."""
    graph = story.graph
    order, items, shipments = graph.order, graph.items, graph.shipments
    story.tell(
        "captured",
        {"items": len(items), "total": order.total, "currency": order.currency},
        "order.created",
        lambda _: announcements.order_event(order, items, shipments, item_status="created"),
    )
    gone = items if new.is_complete_at_once else [i for i in items if i.is_in_store]
    for item in gone:
        item.status = moved("complete", item.status)
        item.location_code, item.location_type = order.store_id, "store" if order.store_id else ""
    waiting = [i for i in items if i.status == ItemStatus.PENDING]
    if gone:
        _tell_completed(story, gone, new, ended=not waiting)
    if not waiting:
        return
    reasons = judge(
        items=len(items),
        own_grace=new.details.get("grace_period"),
        service_levels=[s.service_level for s in shipments],
        policy=policy,
    )
    for reason in reasons:
        place_hold(story, reason)
    if not reasons:
        _open(story, waiting, new.country, policy)


def _tell_completed(story: Story, gone: list[Item], new: NewOrder, *, ended: bool) -> None:
    order, items = story.graph.order, story.graph.items
    rule = next(
        (name for name in ("is_historical", "is_fulfilled") if new.details.get(name)),
        announcements.HANDOVER,
    )
    story.tell(
        "completed",
        {"rule": rule, "items": len(gone)},
        "order.completed" if ended else None,
        lambda _: announcements.completed(order, items),
    )


def place_hold(story: Story, reason: Reason) -> None:
    """One hold of a new order, and its row in the timeline."""
    graph = story.graph
    graph.holds.append(Hold(tenant_id=graph.order.tenant_id, kind=reason.kind, reason=reason.text))
    if reason.kind == HoldKind.GRACE:
        graph.grace = reason.seconds
    story.tell("held", {"hold": reason.kind, "reason": reason.text} | reason.facts)


def _open(story: Story, waiting: list[Item], country: str, policy: Policy) -> None:
    """Nothing holds the order: every shipment is routed, and the timeline says why."""
    order, items, shipments = story.graph.order, story.graph.items, story.graph.shipments
    groups: dict[int | None, list[Item]] = {}
    for item in waiting:
        groups.setdefault(item.shipment.position if item.shipment else None, []).append(item)
    decided = [
        (members, decide(members[0].shipment, country=country, policy=policy))
        for members in groups.values()
    ]
    for members, decision in decided:
        for item in members:
            item.status = moved(decision.verb, item.status)
            item.location_code = decision.place.code
            item.location_type = decision.place.type
            item.conflict_reason = decision.reason if decision.verb == "conflict" else ""
    if any(decision.verb in ("route", "hand_over") for _, decision in decided):
        story.tell(
            "opened",
            {"rule": "nothing holds it"},
            "order.opened",
            lambda _: announcements.order_event(order, items, shipments, item_status="opened"),
        )
    for members, decision in decided:
        _tell_decision(story, members, decision)


def _tell_decision(story: Story, members: list[Item], decision: Decision) -> None:
    order = story.graph.order
    facts = decision.facts | {
        "items": len(members),
        "location": decision.place.code,
        "reason": decision.reason,
    }
    facts = {name: value for name, value in facts.items() if value != ""}
    shipment = members[0].shipment
    match decision.verb:
        case "route":
            story.tell(
                "routed",
                facts,
                "fulfillment_request.assigned",
                lambda version: announcements.assigned(order, members, shipment, version),
            )
        case "hand_over":
            story.tell("handed_over", facts)
        case "conflict":
            story.tell(
                "conflicted",
                facts,
                "order.items_on_hold",
                lambda version: announcements.items_on_hold(order, members, version),
            )
        case "cancel":
            story.tell(
                "cancelled",
                facts,
                "order.cancelled",
                lambda _: announcements.cancelled(order, members, decision.reason),
            )
