"""Release of due grace periods, and holds for orders above a changed size limit.

Each function handles batches of orders that no other transaction has locked. Workers may run it at
any time and concurrently, because the rows and the database's clock decide what is due.
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
from orders.services.changes.locking import ITS_FAULT, changes_of, policy_key
from orders.services.changes.order_change import OrderChange
from orders.services.holds.actions import continue_after_hold
from orders.services.holds.rules import big_order_hold

log = logging.getLogger(__name__)

BATCH: Final = 200
LATE: Final = 60.0  # seconds after its due time within which a hold must be released
RELEASER: Final = "task:orders.release_due_holds"
SIZE_CHECKER: Final = "task:orders.check_big_orders"

# Locks orders instead of holds, because every change of an order takes that lock. An order locked
# elsewhere waits for the next batch.
_FIND_DUE: Final = """
SELECT o.tenant_id, o.id
FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
WHERE h.released_at IS NULL AND h.due_at <= now()
ORDER BY h.due_at LIMIT %s
"""
_LOCK_DUE: Final = f"{_FIND_DUE} FOR UPDATE OF o SKIP LOCKED"
_LOCK_ONE: Final = "SELECT tenant_id, id FROM orders_order WHERE id = %s FOR UPDATE SKIP LOCKED"
# Orders on hold with more items than the limit that never had a hold for it.
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
    """Release due grace holds, route orders without other holds, and return their number.

    If one order fails, release the others of its batch one by one. The failing order stays due, is
    logged by every run and shows in `/readyz`.
    """
    try:
        return _release(_LOCK_DUE, limit)
    except OperationalError:  # a fault of the database, not of an order
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


def _release(lock: str, parameter: int) -> int:
    with transaction.atomic(durable=True):
        changes = _changes(prepared_sql.rows(lock, [parameter]), RELEASER)
        # Read again under the lock, because a hold may have been extended before.
        due = {row[0] for row in prepared_sql.rows(_DUE, [[c.order.pk for c in changes]])}
        policies = _Policies()
        for change in changes:
            for hold in [h for h in change.active_holds if h.pk in due]:
                change.release(hold, reason="grace_period_ended")
            if change.released:
                continue_after_hold(change, policies.for_order(change))
        released = [change for change in changes if change.released]
        if released:
            persistence.save(released)
        failpoint("release_due.before_commit")
    failpoint("release_due.after_commit")
    return len(released)


def hold_big_orders(*, limit: int = BATCH) -> int:
    """Hold waiting orders that exceed their tenant's current limit, and return their number."""
    number = 0
    for tenant in Tenant.objects.filter(is_active=True).order_by("pk"):
        tenant_policy = policy(tenant)
        with transaction.atomic(durable=True):
            rows = prepared_sql.rows(_LOCK_BIG, [tenant.pk, tenant_policy.soft_limit, limit])
            changes = _changes(rows, SIZE_CHECKER)
            # Read again under the lock, because an order may have been held just before.
            held_before = set(
                Hold.objects.filter(
                    tenant=tenant,
                    order__in=[change.order.pk for change in changes],
                    kind=HoldKind.BIG_ORDER,
                ).values_list("order_id", flat=True)
            )
            changes = [change for change in changes if change.order.pk not in held_before]
            for change in changes:
                if hold := big_order_hold(len(change.items), tenant_policy):
                    change.hold(hold)
            if changes:
                persistence.save(changes)
            failpoint("judge_sizes.before_commit")
        failpoint("judge_sizes.after_commit")
        number += len(changes)
    return number


def oldest_due() -> float:
    """Return the seconds since the oldest due time of an unreleased grace hold; 0 without one."""
    late = Extract(Now() - F("due_at"), "epoch")
    due = Hold.objects.filter(released_at__isnull=True, due_at__lte=Now()).order_by("due_at")
    seconds = due.values_list(late, flat=True).first()
    return 0.0 if seconds is None else float(seconds)


class _Policies:
    """The policies of the orders of a batch; orders with equal policy keys share one."""

    def __init__(self) -> None:
        self._tenants: dict[int, Tenant] = {}
        self._policies: dict[tuple[int, PolicyKey], Policy] = {}

    def for_order(self, change: OrderChange) -> Policy:
        tenant_id = change.order.tenant_id
        if tenant_id not in self._tenants:
            self._tenants[tenant_id] = Tenant.objects.get(pk=tenant_id)
        key = tenant_id, policy_key(change)
        if key not in self._policies:
            self._policies[key] = policy(self._tenants[tenant_id], key[1])
        return self._policies[key]


def _changes(rows: Sequence[tuple[int, int]], actor: str) -> list[OrderChange]:
    """Return changes of locked orders, given as tenant id and order key; read per tenant."""
    by_tenant: dict[int, list[int]] = defaultdict(list)
    for tenant_id, key in rows:
        by_tenant[tenant_id].append(key)
    return [
        change
        for tenant_id, keys in by_tenant.items()
        for change in changes_of(tenant_id, keys, actor=actor)
    ]
