"""Order state: an order with its holds, and the actions that services would allow now."""

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
    """An order with everything that its possible actions depend on, as of one read."""

    tenant: Tenant
    document: Document
    holds: Sequence[Hold]  # released ones too, oldest first
    running: Hold | None  # the grace period, until its end by the database's clock
    cancellation_allowed_from: Stored[list[str]]

    @property
    def active_holds(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.released_at is None]

    def hold_of(self, kind: HoldKind) -> Hold | None:
        """Return the active hold of this kind, or None."""
        return next((hold for hold in self.active_holds if hold.kind == kind), None)

    @property
    def can_be_held(self) -> bool:
        """Return whether a support hold can be placed and is not active yet."""
        is_held = self.hold_of(HoldKind.SUPPORT) is not None
        return not is_held and hold_actions.why_not_hold(self.document.order) is None

    @property
    def why_not_cancelable(self) -> str:
        """Return the message of the refusal to cancel; empty if the order can be cancelled."""
        order, items = self.document.order, self.document.items
        refusal = cancellation.why_not(order, items, self.cancellation_allowed_from)
        return str(refusal or "")

    @property
    def live_items(self) -> list[Item]:
        """Return the items that a cancellation would cancel."""
        return cancellation.live(self.document.items)

    @property
    def is_safe_to_cancel(self) -> bool:
        """Return whether no location may be handling the items that would be cancelled."""
        return cancellation.is_safe(self.document.items)

    @property
    def parkable_items(self) -> list[Item]:
        """Return the items that a support hold would return to pending."""
        return hold_actions.parkable(self.document.items)

    @property
    def balance(self) -> Balance:
        """Return the outcome and the remaining total of the order."""
        return balance_of(self.document.order, self.document.items)

    def refund_without(self, items: Sequence[Item]) -> Decimal:
        """Return the refund of a paid order if these items are cancelled."""
        order, cancelled = self.document.order, {item.pk for item in items}
        after: dict[str, Decimal] = defaultdict(Decimal)
        for item in self.document.items:
            after[ItemStatus.CANCELLED if item.pk in cancelled else item.status] += item.gross
        return self.balance.remaining - balance(order.total, after).remaining


def load_order_state(tenant: Tenant, key: int) -> OrderState:
    """Return the state of the order with this key, which must exist. Execute three statements."""
    runs = ExpressionWrapper(hold_actions.RUNNING_GRACE, output_field=BooleanField())
    rows = Hold.objects.filter(tenant=tenant, order_id=key).annotate(runs=runs).order_by("id")
    holds = list(rows)
    return OrderState(
        tenant=tenant,
        document=queries.document(tenant.pk, key),
        holds=holds,
        running=next((hold for hold in holds if hold.runs), None),
        cancellation_allowed_from=read(tenant, keys.CANCELLATION_ALLOWED_FROM),
    )
