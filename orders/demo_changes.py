"""Changes to some of the demo orders: shipments, returns, holds, notes, cancellations."""

from collections.abc import Callable
from typing import Any, Final

from configuration.models import Tenant
from orders.lifecycle import ItemStatus, OrderStatus
from orders.models import Item, Order
from orders.services import cancellation, notes
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.fulfillment import serials
from orders.services.holds import actions as hold_actions

SHIPPED: Final = 100  # of the oldest open orders, those in fulfillment
_WAREHOUSE: Final = "client:warehouse"
_SUPPORT: Final = "staff:support@demo"
_SUPERVISOR: Final = "staff:supervisor@demo"

DemoAction = Callable[[Order], Any]


def _hold(reason: str) -> DemoAction:
    return lambda order: hold_actions.place(**_key(order), reason=reason, actor=_SUPPORT)


def _extend_grace(order: Order) -> None:
    hold_actions.extend_grace(**_key(order), id_type="internal", actor=_SUPPORT)


def _cancel(reason: str) -> DemoAction:
    return lambda order: cancellation.cancel(
        **_key(order), id_type="internal", reason=reason, note=None, actor=_SUPPORT
    )


def _note(text: str, actor: str = _SUPPORT) -> DemoAction:
    draft = notes.Draft(text, actor.removeprefix("staff:"), "user", None)
    return lambda order: notes.add(tenant=order.tenant, order=order.uuid, draft=draft, actor=actor)


def _report(action: fulfillment_reports.Action, **details: str) -> DemoAction:
    def report(order: Order) -> None:
        reports = [fulfillment_reports.Report(item.uuid, **details) for item in _items(order)]
        fulfillment_reports.report(**_key(order), action=action, reports=reports, actor=_WAREHOUSE)

    return report


def _add_serials(prefix: str) -> DemoAction:
    def attach(order: Order) -> None:
        numbers = [serials.Serial(i.uuid, f"{prefix}-{n}") for n, i in enumerate(_items(order), 1)]
        serials.attach(
            tenant=order.tenant, order=str(order.uuid), serials=numbers, actor=_WAREHOUSE
        )

    return attach


CHANGES: Final[dict[str, tuple[DemoAction, ...]]] = {
    "DEMO-0205": (_add_serials("SN-0205"), _report("packing")),
    "DEMO-0212": (
        _report("complete", tracking_code="1Z0212", carrier="UPS"),
        _report("return", reason="too small"),
        _note("Parcel came back unopened. She wants the money, not another size."),
    ),
    "DEMO-0253": (_note("Called to ask when it comes. Told her: two days after the hold."),),
    "DEMO-0263": (_hold("Address has no house number; asked her by e-mail"),),
    "DEMO-0269": (_hold("Card holder and customer differ"), _note("Bank calls back on Monday.")),
    "DEMO-0275": (_cancel("Ordered twice by mistake"),),
    "DEMO-0287": (
        _note("Wants the coat in blue instead. Looking whether the store has one."),
        _extend_grace,
        _add_serials("SN-0287"),
        _hold("Another color may be wanted"),
        _note("Blue is there. Release it once she has answered.", _SUPERVISOR),
    ),
    "DEMO-0295": (_cancel("Found it cheaper elsewhere"),),
}


def apply(tenant: Tenant) -> None:
    """Apply the changes to the captured demo orders."""
    orders = Order.objects.filter(tenant=tenant).select_related("tenant")
    complete = _report("complete", tracking_code="1Z999AA10123456784", carrier="UPS")
    for order in orders.filter(status=OrderStatus.OPEN).order_by("pk")[:SHIPPED]:
        if all(item.status == ItemStatus.IN_FULFILLMENT for item in _items(order)):
            complete(order)
    for name, actions in CHANGES.items():
        order = orders.get(external_id=name)
        for action in actions:
            action(order)


def _key(order: Order) -> dict[str, Any]:
    return {"tenant": order.tenant, "reference": str(order.uuid)}


def _items(order: Order) -> list[Item]:
    return list(order.items.order_by("position"))
