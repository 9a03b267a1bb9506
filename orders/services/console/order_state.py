"""How an order stands now, and what could be done with it: judged as when it is done."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import BooleanField, ExpressionWrapper

from configuration import keys
from configuration.models import Tenant
from configuration.services import Stored, read
from orders.lifecycle import HoldKind, ItemStatus
from orders.models import Hold, Item
from orders.services import cancellation
from orders.services.holds import actions as hold_actions
from orders.services.reading import queries
from orders.services.reading.outcomes import Balance, balance, balance_of
from orders.services.reading.queries import Document


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order with all that decides over what can be done with it, as it was a moment ago."""

    tenant: Tenant
    document: Document
    holds: Sequence[Hold]  # all there were, oldest first
    running: Hold | None  # the grace period, while it is not over by the database's clock
    cancellation_allowed_from: Stored[list[str]]

    @property
    def active_holds(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.released_at is None]

    def hold_of(self, kind: HoldKind) -> Hold | None:
        """The hold of this kind that keeps the order from being routed."""
        return next((hold for hold in self.active_holds if hold.kind == kind), None)

    @property
    def can_be_held(self) -> bool:
        """Whether a support hold would change anything."""
        is_held = self.hold_of(HoldKind.SUPPORT) is not None
        return not is_held and hold_actions.why_not_hold(self.document.order) is None

    @property
    def why_not_cancelable(self) -> str:
        """The refusal cancelling the order would meet; empty when it would not."""
        order, items = self.document.order, self.document.items
        refusal = cancellation.why_not(order, items, self.cancellation_allowed_from)
        return str(refusal or "")

    @property
    def live_items(self) -> list[Item]:
        """What cancelling the order would cancel."""
        return cancellation.live(self.document.items)

    @property
    def is_safe_to_cancel(self) -> bool:
        """Whether nobody may be handling what cancelling would cancel."""
        return cancellation.is_safe(self.document.items)

    @property
    def parkable_items(self) -> list[Item]:
        """What would wait again, were support to hold the order."""
        return hold_actions.parkable(self.document.items)

    @property
    def balance(self) -> Balance:
        """What became of the order, and what remains of its total."""
        return balance_of(self.document.order, self.document.items)

    def refund_without(self, items: Sequence[Item]) -> Decimal:
        """Return what the customer would get back, had they paid, were these items cancelled."""
        order, gone = self.document.order, {item.pk for item in items}
        after: dict[str, Decimal] = defaultdict(Decimal)
        for item in self.document.items:
            after[ItemStatus.CANCELLED if item.pk in gone else item.status] += item.gross
        return self.balance.remaining - balance(order.total, after).remaining


def load_order_state(tenant: Tenant, key: int) -> OrderState:
    """How the order with this key, which is there, stands. Three statements."""
    runs = ExpressionWrapper(hold_actions.RUNNING_GRACE, output_field=BooleanField())
    holds = Hold.objects.filter(tenant=tenant, order_id=key).annotate(runs=runs).order_by("id")
    found = list(holds)
    return OrderState(
        tenant,
        queries.document(tenant.pk, key),
        found,
        next((hold for hold in found if hold.runs), None),
        read(tenant, keys.CANCELLATION_ALLOWED_FROM),
    )
