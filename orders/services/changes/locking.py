"""Changes of existing orders: lock, read, change and write in one transaction."""

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

# The only lock of an order; every change takes it before it reads the order.
LOCK: Final = "SELECT id FROM orders_order WHERE id = %s FOR UPDATE"

# Errors that the data of one order can cause and that must not stop other orders. `Exception` is
# too wide, because Celery also ends a worker by an exception.
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
    """Lock an order, yield its change and write that change when the block ends.

    Raise `OrderNotFound`, and `ChangedSince` when the order's version is not `expected_version`.
    An error raised inside the block rolls everything back.
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
    """Return changes of locked orders, read by a fixed number of statements."""
    holds_by_order: dict[int, list[Hold]] = defaultdict(list)
    for hold in queries.active_holds(tenant_id, keys):
        holds_by_order[hold.order_id].append(hold)
    return [
        OrderChange(d.order, d.items, d.shipments, actor, holds_by_order[d.order.pk])
        for d in queries.documents(tenant_id, keys)
    ]


def policy_for(tenant: Tenant, change: OrderChange) -> Policy:
    """Return the tenant's policy for this order."""
    return policy(tenant, policy_key(change))


def policy_key(order: "OrderChange | NewOrder") -> PolicyKey:
    """Return the key of the policy that an existing or a new order needs."""
    return PolicyKey(
        service_levels=frozenset(s.service_level for s in order.shipments if s.service_level),
        locations=frozenset(s.location_code for s in order.shipments if s.location_code),
        country=order.country,
    )
