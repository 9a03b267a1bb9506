"""What happens on the clock: grace periods end, and sizes are judged again: product §4.2, §4.3.

Every function does one batch in one transaction, takes what nobody else has locked, and may run
anywhere any number of times: the rows say what is due, the database's clock says when.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from django.db import OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Extract, Now

from configuration.models import Tenant
from configuration.services.policy import Policy, PolicyKey, policy
from ordermgmt.database import prepared_sql
from ordermgmt.failpoints import failpoint
from orders.lifecycle import HoldKind
from orders.models import Hold, Order
from orders.services.changes import persistence
from orders.services.changes.locking import ITS_FAULT, policy_key
from orders.services.changes.locking import changes_of as stories_of
from orders.services.changes.order_change import OrderChange
from orders.services.holds.actions import continue_after_hold
from orders.services.holds.rules import big_order_hold

log = logging.getLogger(__name__)

BATCH: Final = 200
LATE: Final = 60.0  # seconds after its time within which a hold must be released
RELEASER: Final = "task:orders.release_due_holds"
SIZE_JUDGE: Final = "task:orders.check_big_orders"

# Orders, not holds, are locked: the lock of every other change of an order. One that is being
# changed at this moment is left for the next batch.
_FIND_DUE: Final = """
SELECT o.tenant_id, o.id
FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
WHERE h.released_at IS NULL AND h.due_at <= now()
ORDER BY h.due_at LIMIT %s
"""
_LOCK_DUE: Final = f"{_FIND_DUE} FOR UPDATE OF o SKIP LOCKED"
_LOCK_ONE: Final = "SELECT tenant_id, id FROM orders_order WHERE id = %s FOR UPDATE SKIP LOCKED"
# Orders that wait, are big, and were never held for it.
_LOCK_BIG: Final = """
SELECT o.tenant_id, o.id
FROM orders_order o
WHERE o.tenant_id = %s AND o.status = 'on_hold' AND o.item_count > %s
  AND NOT EXISTS (SELECT 1 FROM orders_hold h
                   WHERE h.tenant_id = o.tenant_id AND h.order_id = o.id AND h.kind = 'big_order')
LIMIT %s
FOR UPDATE OF o SKIP LOCKED
"""
_DUE: Final = """
SELECT id FROM orders_hold
WHERE order_id = ANY(%s::bigint[]) AND released_at IS NULL AND due_at <= now()
"""


def release_due(*, limit: int = BATCH) -> int:
    """Release grace holds that are due, and route what nothing else holds; returns how many.

    Should that fail for one order, the others of its batch are released one by one, and it stays
    due: logged at every sweep, and seen in `/readyz`, but in nobody's way.
    """
    try:
        return _release(_LOCK_DUE, limit)
    except OperationalError:  # the database's trouble, not an order's
        raise
    except ITS_FAULT:
        log.exception("a batch of due holds could not be released")
    return sum(_release_alone(key) for _, key in prepared_sql.rows(_FIND_DUE, [limit]))


def _release_alone(key: int) -> int:
    try:
        return _release(_LOCK_ONE, key)
    except OperationalError:
        raise
    except ITS_FAULT:
        log.exception("order %s could not be released", Order.objects.get(pk=key))
        return 0


def _release(lock: str, which: int) -> int:
    with transaction.atomic(durable=True):
        changes_of = _stories(prepared_sql.rows(lock, [which]), RELEASER)
        # Looked at again, now that the orders are locked: a hold may have been extended.
        due = {
            row[0] for row in prepared_sql.rows(_DUE, [[change.order.pk for change in changes_of]])
        }
        rules = _Rules()
        for change in changes_of:
            for hold in [h for h in change.standing if h.pk in due]:
                change.release(hold, reason="grace_period_ended")
            if change.released:
                continue_after_hold(change, rules.of(change))
        told = [change for change in changes_of if change.released]
        if told:
            persistence.save(told)
        failpoint("release_due.before_commit")
    failpoint("release_due.after_commit")
    return len(told)


def hold_big_orders(*, limit: int = BATCH) -> int:
    """Hold orders that wait and are bigger than their tenant's limit, as it is now."""
    held = 0
    for tenant in Tenant.objects.filter(is_active=True).order_by("pk"):
        rules = policy(tenant)
        with transaction.atomic(durable=True):
            rows = prepared_sql.rows(_LOCK_BIG, [tenant.pk, rules.soft_limit, limit])
            changes_of = _stories(rows, SIZE_JUDGE)
            # Looked at again, now that the orders are locked: one may have been held just before.
            judged = set(
                Hold.objects.filter(
                    tenant=tenant,
                    order__in=[change.order.pk for change in changes_of],
                    kind=HoldKind.BIG_ORDER,
                ).values_list("order_id", flat=True)
            )
            told = [change for change in changes_of if change.order.pk not in judged]
            for change in told:
                if reason := big_order_hold(len(change.items), rules):
                    change.hold(reason)
            if told:
                persistence.save(told)
            failpoint("judge_sizes.before_commit")
        failpoint("judge_sizes.after_commit")
        held += len(told)
    return held


def oldest_due() -> float:
    """Seconds that the grace period that ended first, and is not released, is over; 0 if none."""
    late = Extract(Now() - F("due_at"), "epoch")
    due = Hold.objects.filter(released_at__isnull=True, due_at__lte=Now()).order_by("due_at")
    found = due.values_list(late, flat=True).first()
    return 0.0 if found is None else float(found)


class _Rules:
    """The policy of each order of a batch; orders that ask alike share one."""

    def __init__(self) -> None:
        self._tenants: dict[int, Tenant] = {}
        self._known: dict[tuple[int, PolicyKey], Policy] = {}

    def of(self, change: OrderChange) -> Policy:
        tenant_id = change.order.tenant_id
        if tenant_id not in self._tenants:
            self._tenants[tenant_id] = Tenant.objects.get(pk=tenant_id)
        key = policy_key(change)
        known_as = tenant_id, key
        if known_as not in self._known:
            self._known[known_as] = policy(self._tenants[tenant_id], key)
        return self._known[known_as]


def _stories(rows: Sequence[tuple[int, int]], actor: str) -> list[OrderChange]:
    """Stories of locked orders, given as tenant and key; each tenant's read by two statements."""
    by_tenant: dict[int, list[int]] = defaultdict(list)
    for tenant_id, key in rows:
        by_tenant[tenant_id].append(key)
    return [
        change
        for tenant_id, keys in by_tenant.items()
        for change in stories_of(tenant_id, keys, actor=actor)
    ]
