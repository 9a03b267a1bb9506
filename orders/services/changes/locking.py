"""Changing an order we have: lock it, look at it, change it, and tell; one transaction."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction

from configuration.models import Tenant
from configuration.services.policy import Policy, PolicyKey, policy
from ordermgmt.database import prepared_sql
from ordermgmt.errors import DomainError, PreconditionFailed
from ordermgmt.failpoints import failpoint
from orders.models import Hold
from orders.services.changes import persistence
from orders.services.changes.order_change import OrderChange
from orders.services.reading import queries
from orders.services.reading.queries import IdType

if TYPE_CHECKING:
    from orders.services.capture.draft import NewOrder

# The one lock of an order: whoever changes it takes this first, then looks.
LOCK: Final = "SELECT id FROM orders_order WHERE id = %s FOR UPDATE"

# What an order can make fail, by being as nobody thought of, and should stop no other order. Not
# every `Exception`: a worker that has to end is told so by one, too, and ends.
ITS_FAULT: Final = (
    DomainError,
    DatabaseError,
    ObjectDoesNotExist,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


class ChangedSince(PreconditionFailed):
    code = "version_mismatch"


@contextmanager
def change_order(
    tenant: Tenant,
    reference: str,
    *,
    id_type: IdType | Literal["any"],
    actor: str,
    expected_version: int | None = None,
) -> Iterator[OrderChange]:
    """The story of one order, locked until the block ends; what was told is then written.

    Raise `OrderNotFound`, and `ChangedSince` when the order has changed since `expected_version`
    in a way that matters to the caller. A refusal raised inside the block leaves no trace.
    """
    with transaction.atomic(durable=True):
        key = queries.key_of(tenant, reference, id_type=id_type)
        prepared_sql.rows(LOCK, [key])
        [change] = changes_of(tenant.pk, [key], actor=actor)
        if expected_version is not None and change.order.version != expected_version:
            raise ChangedSince(
                f"Order {change.order.external_id} has changed since you looked at it.",
                version=change.order.version,
            )
        yield change
        if change.entries:
            persistence.save([change])
        failpoint("changing.before_commit")
    failpoint("changing.after_commit")


def changes_of(tenant_id: int, keys: Sequence[int], *, actor: str) -> list[OrderChange]:
    """The stories of orders that are locked, read by two statements."""
    standing: dict[int, list[Hold]] = defaultdict(list)
    for hold in queries.active_holds(tenant_id, keys):
        standing[hold.order_id].append(hold)
    return [
        OrderChange(d.order, d.items, d.shipments, actor, standing[d.order.pk])
        for d in queries.documents(tenant_id, keys)
    ]


def policy_for(tenant: Tenant, change: OrderChange) -> Policy:
    """What the tenant has configured that decides over this order."""
    return policy(tenant, policy_key(change))


def policy_key(order: "OrderChange | NewOrder") -> PolicyKey:
    """What an order asks of its tenant's configuration, whether we have it or it just comes."""
    return PolicyKey(
        service_levels=frozenset(s.service_level for s in order.shipments if s.service_level),
        locations=frozenset(s.location_code for s in order.shipments if s.location_code),
        country=order.country,
    )
