"""Orders through any life Hypothesis can think of, beside a model small enough to be right.

After every step the statuses and holds of all orders are what the model says, and every invariant
of `orders.services.invariants` holds on the real database.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from configuration import keys
from ordermgmt.errors import DomainError
from orders.models import Hold, Order
from orders.services import cancellation, invariants
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.holds import actions as hold_actions
from orders.services.holds import due as due_holds
from tests.orders.shop import Shop, items, order

LIVE = {"pending", "in_fulfillment", "on_hold"}
# Action of a report → what it takes, and what it makes of it.
REPORTS = {
    "complete": ({"in_fulfillment"}, "complete"),
    "reject": ({"in_fulfillment"}, "on_hold"),
    "return": ({"complete"}, "returned"),
    "packing": ({"in_fulfillment"}, "in_fulfillment"),
}


@dataclass
class Model:
    """An order, as far as its life goes."""

    items: list[str]
    holds: set[str] = field(default_factory=set)
    was_big: bool = False
    is_due: bool = False

    @property
    def status(self) -> str:
        if "pending" in self.items:
            return "on_hold"
        return "open" if LIVE & set(self.items) else "closed"

    def holds_for(self, limit: int) -> None:
        if len(self.items) > limit:
            self.holds.add("big_order")
            self.was_big = True

    def continue_after_hold(self, limit: int) -> None:
        if self.holds or "pending" not in self.items:
            return
        if not self.was_big:
            self.holds_for(limit)
        if not self.holds:
            self.items = ["in_fulfillment" if s == "pending" else s for s in self.items]


class Lives(RuleBasedStateMachine):
    """What can be done to the orders of one tenant that has no locations."""

    orders = Bundle("orders")
    actor: ClassVar = "client:machine"

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.limit = 100
        self.models: dict[str, Model] = {}

    def teardown(self) -> None:
        """Leave nothing due to the next life: a sweep does not ask whose orders they are."""
        while due_holds.release_due():
            pass

    def on(self, name: str) -> dict[str, object]:
        return {"tenant": self.shop.tenant, "reference": name, "actor": self.actor}

    def is_refused(self, act: object, *args: object, **kwargs: object) -> bool:
        """Whether it was refused, and if so without a trace."""
        before = Order.objects.order_by("pk").values_list("pk", "version")
        versions = list(before)
        try:
            act(*args, **kwargs)  # type: ignore[operator]
        except DomainError:
            assert list(before.all()) == versions
            return True
        return False

    @rule(target=orders, number=st.integers(2, 4), grace=st.sampled_from([86_400, 0]))
    def capture(self, number: int, grace: int) -> str:
        name = f"A-{len(self.models)}"
        self.shop.captured(order(*items(number), external_id=name, grace_period=grace))
        model = Model(["pending"] * number, {"grace"} if grace else set())
        model.holds_for(self.limit)
        model.continue_after_hold(self.limit)
        self.models[name] = model
        return name

    @rule(name=orders, number=st.integers(1, 2))
    def add_items(self, name: str, number: int) -> None:
        model = self.models[name]
        uuid = str(Order.objects.get(tenant=self.shop.tenant, external_id=name).uuid)
        answer = self.shop.capture({"id": uuid, "items": items(number)})
        assert answer.status_code == (200 if model.status == "on_hold" else 409)
        if model.status == "on_hold":
            model.items += ["pending"] * number
            model.holds_for(self.limit)

    @rule(name=orders)
    def extend(self, name: str) -> None:
        model = self.models[name]
        runs = "grace" in model.holds and not model.is_due
        refused = self.is_refused(hold_actions.extend_grace, id_type="external", **self.on(name))
        assert refused is not runs

    @rule(name=orders)
    def hold(self, name: str) -> None:
        model = self.models[name]
        refused = self.is_refused(hold_actions.place, reason="look", **self.on(name))
        assert refused is (model.status == "closed")
        if not refused and "support" not in model.holds:
            model.holds.add("support")
            model.items = [
                "pending" if s in ("in_fulfillment", "on_hold") else s for s in model.items
            ]

    @rule(name=orders, data=st.data())
    def release(self, name: str, data: st.DataObject) -> None:
        model = self.models[name]
        if not model.holds:
            return
        kind = data.draw(st.sampled_from(sorted(model.holds)))
        hold = Hold.objects.get(
            order__tenant=self.shop.tenant, order__external_id=name, kind=kind, released_at=None
        )
        assert not self.is_refused(
            hold_actions.release, hold=hold.uuid, reason="ok", **self.on(name)
        )
        model.holds.remove(kind)
        model.continue_after_hold(self.limit)

    @rule(name=orders)
    def time_passes(self, name: str) -> None:
        """Its grace period, if it has one, ended just now."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_hold h SET due_at = now() FROM orders_order o"
                " WHERE o.id = h.order_id AND o.tenant_id = %s AND o.external_id = %s"
                " AND h.kind = 'grace' AND h.released_at IS NULL",
                [self.shop.tenant.pk, name],
            )
        self.models[name].is_due = True

    @rule()
    def sweep(self) -> None:
        due = [m for m in self.models.values() if m.is_due and "grace" in m.holds]
        assert due_holds.release_due() == len(due)
        for model in due:
            model.holds.remove("grace")
            model.continue_after_hold(self.limit)

    @rule()
    def hold_big_orders(self) -> None:
        due_holds.hold_big_orders()
        for model in self.models.values():
            if model.status == "on_hold" and not model.was_big:
                model.holds_for(self.limit)

    @rule(limit=st.integers(1, 3))
    def change_the_limit(self, limit: int) -> None:
        self.shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": limit})
        self.limit = limit

    @rule(name=orders)
    def cancel(self, name: str) -> None:
        model = self.models[name]
        may = bool(LIVE & set(model.items)) and not {"complete", "returned"} & set(model.items)
        refused = self.is_refused(
            cancellation.cancel, id_type="external", reason="x", note=None, **self.on(name)
        )
        assert refused is not may
        if may:
            model.items = ["cancelled" if s in LIVE else s for s in model.items]
            model.holds.clear()

    @precondition(lambda self: self.models)
    @rule(name=orders, action=st.sampled_from(sorted(REPORTS)), data=st.data())
    def report(self, name: str, action: str, data: st.DataObject) -> None:
        model = self.models[name]
        place = data.draw(st.integers(0, len(model.items) - 1))
        sources, target = REPORTS[action]
        stored = Order.objects.get(tenant=self.shop.tenant, external_id=name)
        uuid = stored.items.order_by("position")[place].uuid
        is_so = model.items[place] == target  # a repeated report changes nothing
        refused = self.is_refused(
            fulfillment_reports.report,
            action=action,
            reports=[fulfillment_reports.Report(uuid)],
            **self.on(name),
        )
        assert refused is not (is_so or model.items[place] in sources)
        if not refused and not is_so:
            model.items[place] = target

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        tenant = self.shop.tenant
        for stored in Order.objects.filter(tenant=tenant).prefetch_related("items", "holds"):
            model = self.models[stored.external_id]
            positions = sorted(stored.items.all(), key=lambda item: item.position)
            standing = {h.kind for h in stored.holds.all() if h.released_at is None}
            state = (stored.status, [i.status for i in positions], standing)
            assert state == (model.status, model.items, model.holds), stored.external_id

    @invariant()
    def nothing_is_broken(self) -> None:
        assert [results.examples for results in invariants.check() if results.number] == []


def live(*, examples: int, steps: int, derandomize: bool) -> None:
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
def test_lives_that_are_the_same_every_time():
    live(examples=40, steps=25, derandomize=True)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_lives_nobody_has_seen_before():
    live(examples=100, steps=40, derandomize=False)
