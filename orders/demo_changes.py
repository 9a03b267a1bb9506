"""What happened to some of the demo's orders later: shipped, returned, held, noted, cancelled."""

from collections.abc import Callable
from typing import Any, Final

from configuration.models import Tenant
from orders.lifecycle import ItemStatus, OrderStatus
from orders.models import Item, Order
from orders.services import cancellation, notes
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.fulfillment import serials
from orders.services.holds import actions as hold_actions

SHIPPED: Final = 100  # of the oldest, those that were on their way
_WAREHOUSE: Final = "client:warehouse"
_SUPPORT: Final = "staff:support@demo"
_SUPERVISOR: Final = "staff:supervisor@demo"

DemoAction = Callable[[Order], Any]


def _held(reason: str) -> DemoAction:
    return lambda order: hold_actions.place(**_name(order), reason=reason, actor=_SUPPORT)


def _extended(order: Order) -> None:
    hold_actions.extend_grace(**_name(order), id_type="internal", actor=_SUPPORT)


def _cancelled(reason: str) -> DemoAction:
    return lambda order: cancellation.cancel(
        **_name(order), id_type="internal", reason=reason, note=None, actor=_SUPPORT
    )


def _noted(text: str, actor: str = _SUPPORT) -> DemoAction:
    draft = notes.Draft(text, actor.removeprefix("staff:"), "user", None)
    return lambda order: notes.add(tenant=order.tenant, order=order.uuid, draft=draft, actor=actor)


def _reported(action: fulfillment_reports.Action, **said: str) -> DemoAction:
    def report(order: Order) -> None:
        reports = [fulfillment_reports.Report(item.uuid, **said) for item in _items(order)]
        fulfillment_reports.report(**_name(order), action=action, reports=reports, actor=_WAREHOUSE)

    return report


def _numbered(prefix: str) -> DemoAction:
    def attach(order: Order) -> None:
        named = [serials.Serial(i.uuid, f"{prefix}-{n}") for n, i in enumerate(_items(order), 1)]
        serials.attach(tenant=order.tenant, order=str(order.uuid), serials=named, actor=_WAREHOUSE)

    return attach


STORIES: Final[dict[str, tuple[DemoAction, ...]]] = {
    "DEMO-0205": (_numbered("SN-0205"), _reported("packing")),
    "DEMO-0212": (
        _reported("complete", tracking_code="1Z0212", carrier="UPS"),
        _reported("return", reason="too small"),
        _noted("Parcel came back unopened. She wants the money, not another size."),
    ),
    "DEMO-0253": (_noted("Called to ask when it comes. Told her: two days after the hold."),),
    "DEMO-0263": (_held("Address has no house number; asked her by e-mail"),),
    "DEMO-0269": (_held("Card holder and customer differ"), _noted("Bank calls back on Monday.")),
    "DEMO-0275": (_cancelled("Ordered twice by mistake"),),
    "DEMO-0287": (
        _noted("Wants the coat in blue instead. Looking whether the store has one."),
        _extended,
        _numbered("SN-0287"),
        _held("Another color may be wanted"),
        _noted("Blue is there. Release it once she has answered.", _SUPERVISOR),
    ),
    "DEMO-0295": (_cancelled("Found it cheaper elsewhere"),),
}


def tell(tenant: Tenant) -> None:
    """Let it happen to the demo's orders, just captured."""
    orders = Order.objects.filter(tenant=tenant).select_related("tenant")
    arrived = _reported("complete", tracking_code="1Z999AA10123456784", carrier="UPS")
    for order in orders.filter(status=OrderStatus.OPEN).order_by("pk")[:SHIPPED]:
        if all(item.status == ItemStatus.IN_FULFILLMENT for item in _items(order)):
            arrived(order)
    for name, deeds in STORIES.items():
        order = orders.get(external_id=name)
        for deed in deeds:
            deed(order)


def _name(order: Order) -> dict[str, Any]:
    return {"tenant": order.tenant, "reference": str(order.uuid)}


def _items(order: Order) -> list[Item]:
    return list(order.items.order_by("position"))
