"""Bulk jobs: one action on many orders, with one row and one transaction for each order.

The change of an order and its outcome are committed together, so each order is changed once even
if workers crash. A refusal does not stop the other orders.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from django.db import OperationalError, transaction
from django.db.models import Count
from django.db.models.functions import Now
from psycopg import errors as pg

from configuration.models import Tenant
from ordermgmt.database import prepared_sql
from ordermgmt.errors import DomainError, Invalid
from ordermgmt.failpoints import failpoint
from orders.lifecycle import HoldKind
from orders.models import BulkJob, BulkJobOrder, BulkOutcome, BulkVerb, Order
from orders.services import cancellation
from orders.services.changes import persistence
from orders.services.changes.locking import ITS_FAULT, LOCK, changes_of
from orders.services.changes.order_change import OrderChange
from orders.services.holds import actions as hold_actions
from orders.services.timeline.descriptions import describe

log = logging.getLogger(__name__)

MOST: Final = 10_000  # orders of one job
ROUND: Final = 20  # orders of one job before the next job is run


class NoOrders(Invalid):
    code = "bad_request"


class TooManyOrders(Invalid):
    code = "bad_request"


def start(
    *,
    tenant: Tenant,
    verb: BulkVerb,
    orders: Sequence[int],
    reason: str,
    note: str = "",
    actor: str,
) -> BulkJob:
    """Create a job for the orders with these keys; orders of other tenants are left out.

    Raise `NoOrders` or `TooManyOrders`.
    """
    if len(orders) > MOST:
        raise TooManyOrders(f"At most {MOST:,} orders can be changed at once.")
    with transaction.atomic(durable=True):
        existing = set(
            Order.objects.filter(tenant=tenant, pk__in=orders).values_list("pk", flat=True)
        )
        chosen = [key for key in dict.fromkeys(orders) if key in existing]
        if not chosen:
            raise NoOrders("None of the orders chosen is there.")
        job = BulkJob.objects.create(
            tenant=tenant, verb=verb, reason=reason, note=note, actor=actor
        )
        rows = (
            BulkJobOrder(tenant=tenant, job=job, order_id=key, position=position)
            for position, key in enumerate(chosen)
        )
        BulkJobOrder.objects.bulk_create(rows, batch_size=1000)
    return job


def stop(*, job: BulkJob, actor: str) -> int:
    """Stop the orders that wait and return their number. Completed orders are not reverted."""
    with transaction.atomic(durable=True):
        waiting = job.orders.filter(outcome=BulkOutcome.WAITING)
        left = waiting.update(outcome=BulkOutcome.STOPPED, at=Now())
        if left:
            BulkJob.objects.filter(pk=job.pk).update(stopped_by=actor)
    _finish(job)
    return left


def tally(job: BulkJob) -> dict[BulkOutcome, int]:
    """Return the number of a job's orders by outcome, including outcomes without orders."""
    counts = job.orders.order_by().values_list("outcome").annotate(Count("pk"))
    by_outcome = dict(counts)
    return {outcome: by_outcome.get(outcome.value, 0) for outcome in BulkOutcome}


def run_batch(*, limit: int = ROUND) -> int:
    """Process up to `limit` orders of each unfinished job and return their number.

    Several may run at once, because each skips rows that another has locked.
    """
    processed = 0
    jobs = BulkJob.objects.filter(finished_at__isnull=True).select_related("tenant")
    for job in jobs.order_by("id"):
        for _ in range(limit):
            if not _one_order(job):
                _finish(job)
                break
            processed += 1
    return processed


def _one_order(job: BulkJob) -> bool:
    """Process the next order that waits and store its outcome. Return False if there is none."""
    with transaction.atomic(durable=True):
        waiting = job.orders.filter(outcome=BulkOutcome.WAITING).order_by("position")
        row = waiting.select_for_update(skip_locked=True).first()
        if row is None:
            return False
        outcome, message = _try(job, row.order_id)
        BulkJobOrder.objects.filter(pk=row.pk).update(
            outcome=outcome, message=message[:300], at=Now()
        )
        failpoint("bulk.before_commit")
    failpoint("bulk.after_commit")
    return True


def _try(job: BulkJob, key: int) -> tuple[BulkOutcome, str]:
    try:
        with transaction.atomic():  # a savepoint, because a refused order still stores its outcome
            prepared_sql.rows(LOCK, [key])
            [change] = changes_of(job.tenant_id, [key], actor=job.actor)
            _ACTS[BulkVerb(job.verb)](change, job)
            if not change.entries:
                return BulkOutcome.DONE, "It was so already."
            persistence.save([change])
    except DomainError as refusal:
        return BulkOutcome.REFUSED, str(refusal)
    except OperationalError as failure:
        if isinstance(failure.__cause__, pg.LockNotAvailable):
            return BulkOutcome.REFUSED, "Somebody else was changing the order; try it again."
        raise
    except ITS_FAULT:
        log.exception("order %s of bulk job %s failed", key, job.pk)
        return BulkOutcome.REFUSED, "It failed, and the service's log says why."
    return BulkOutcome.DONE, describe(change.entries[0], change.order.currency).what


def _finish(job: BulkJob) -> None:
    unfinished = BulkJob.objects.filter(pk=job.pk, finished_at__isnull=True)
    unfinished.exclude(orders__outcome=BulkOutcome.WAITING).update(finished_at=Now())


def _hold(change: OrderChange, job: BulkJob) -> None:
    hold_actions.hold(change, reason=job.reason)


def _release(change: OrderChange, job: BulkJob) -> None:
    hold_actions.release_kind(change, HoldKind.SUPPORT, tenant=job.tenant, reason=job.reason)


def _approve(change: OrderChange, job: BulkJob) -> None:
    hold_actions.release_kind(change, HoldKind.BIG_ORDER, tenant=job.tenant, reason=job.reason)


def _cancel(change: OrderChange, job: BulkJob) -> None:
    cancellation.cancel_whole(change, tenant=job.tenant, reason=job.reason, note=job.note)


_ACTS: Final[dict[BulkVerb, Callable[[OrderChange, BulkJob], None]]] = {
    BulkVerb.HOLD: _hold,
    BulkVerb.RELEASE: _release,
    BulkVerb.APPROVE: _approve,
    BulkVerb.CANCEL: _cancel,
}
