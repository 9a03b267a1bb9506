"""Taking an order in, once, however often it is sent: product §4.1."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError
from django.db.utils import DataError, InternalError, ProgrammingError
from psycopg import errors as pg

from configuration.models import Tenant
from configuration.services import policy as policies
from configuration.services import sequences
from configuration.services.policy import Policy
from configuration.services.sequences import NEARLY_USED
from ordermgmt.errors import DomainError, Invalid, Misconfigured, Unavailable
from ordermgmt.failpoints import failpoint
from orders.models import Item, Order
from orders.services.capture import additions, identity
from orders.services.capture.assembly import assemble
from orders.services.capture.draft import NewOrder
from orders.services.capture.identity import CaptureConflict
from orders.services.changes import persistence
from orders.services.changes.locking import policy_key
from orders.services.changes.order_change import OrderChange
from orders.services.reading import queries
from orders.services.reading.queries import Document

# The next number may be the name of an order that came with its number from elsewhere; then the
# one after it is tried.
TRIES: Final = 100

log = structlog.stdlib.get_logger(__name__)


class InvalidCapture(Invalid):
    code = "bad_request"


class SequenceMissing(Misconfigured):
    code = "internal_server_error"


class SequenceExhausted(Misconfigured):
    """No retry helps until somebody raises the size."""

    code = "sequence_exhausted"


@dataclass(frozen=True, slots=True)
class Captured:
    """The order as it is stored, and whether this call made it."""

    document: Document
    is_new: bool


def capture(*, tenant: Tenant, new: NewOrder, actor: str) -> Captured:
    """Take in an order, or answer with the one we have. Commits; not for use in a transaction.

    Writes first: one statement that does nothing if the order is there already, so of two at the
    same moment one makes it. It also does nothing if the tenant has configured something since
    this process read its policy, which is then read again. Whatever cannot be made may still be
    an order we have, and is then answered by what is stored, whatever has been configured since.
    New items on a known order that still waits to be routed are added to it.

    Raises `CaptureConflict` where the capture contradicts what is stored, `InvalidCapture` and
    the refusals of `pricing` where it cannot be, `SequenceMissing` and `SequenceExhausted` where
    no number can be drawn. Nothing is written then.
    """
    key = policy_key(new)
    for tried in range(TRIES):
        cached_policy = policies.cached_policy(tenant, key)
        refusal: DomainError | None = None
        try:
            if made := _make(tenant, new, cached_policy or policies.policy(tenant, key), actor):
                return Captured(made, is_new=True)
        except DomainError as error:
            refusal = error
        if known := _known(tenant, new):
            return _repeat(known, tenant=tenant, new=new, actor=actor)
        if tried == 1:  # by then it is not what was configured that has changed
            _check_names(tenant, new)
        if not refusal:
            policies.invalidate(tenant, key)
        elif not cached_policy or policies.policy(tenant, key).revision == cached_policy.revision:
            raise refusal
    raise Unavailable(
        "What is configured, or which numbers are taken, changed all the while; try again."
    )


def _make(tenant: Tenant, new: NewOrder, rules: Policy, actor: str) -> Document | None:
    """A new order, or nothing where it exists already or other rules hold by now."""
    if "currency" not in new.said:
        raise _failed("'currency' is a required property")
    if rules.numbering is None:
        raise SequenceMissing("Sequence for tenant is not configured.")
    check_strategies(new, rules)
    change = assemble(new, tenant=tenant, policy=rules, actor=actor)
    if not _write(change, rules, tenant, new):
        return None
    return Document(change.order, change.items, change.shipments)


def _write(change: OrderChange, rules: Policy, tenant: Tenant, new: NewOrder) -> bool:
    """Write it by one statement, which is a transaction by itself; whether it did."""
    try:
        failpoint("capture.before_commit")
        made = persistence.insert(change, rules, identity.kin(new))
        failpoint("capture.after_commit")
    except IntegrityError as error:
        raise _conflict(error, tenant, new, change.order.uuid) from error
    except DataError as error:
        if isinstance(error.__cause__, pg.SequenceGeneratorLimitExceeded):
            log.error("order numbers used up", tenant=tenant.slug)
            raise SequenceExhausted(
                "All order numbers of the tenant's sequence have been given out."
            ) from error
        raise
    except (ProgrammingError, InternalError):
        if not sequences.exists(tenant):
            return False  # a reset that this waited for dropped it, so other rules hold by now
        raise
    if made and rules.numbering and change.order.number == rules.numbering.nearly_used_at:
        log.warning("order numbers nearly used up", tenant=tenant.slug, percent=NEARLY_USED)
    return made


def check_strategies(new: NewOrder, rules: Policy) -> None:
    """What the tenant's role (primary or secondary OMS) allows: contract §a.3."""
    if not rules.external_oms:
        if any(s.strategy == "external" for s in new.shipments):
            raise InvalidCapture(
                "[input_error:invalid_order_injection] Invalid order injection with external "
                "routing strategy"
            )
        return
    shipped = [item for item in new.items if not new.is_in_store(item)]
    if new.is_complete_at_once or not shipped:
        return
    shipments = [new.shipments[n] for n in {i.shipment for i in shipped} if n is not None]
    external = [s for s in shipments if s.strategy == "external"]
    faults = {
        "Number of shipments should be 1 for injected order": len(shipments) != 1,
        "Shipping address is required for injected order": "shipping_address" not in new.details,
        "Routing strategy should be external": not external or external != shipments,
        "Fulfilment node id is required in tier 2 external order": not shipments
        or not all(s.location_code for s in shipments),
    }
    if any(faults.values()):
        raise InvalidCapture(
            "[input_error:invalid_tier2_order_injection] "
            + ", ".join(fault for fault, is_so in faults.items() if is_so)
        )


def _known(tenant: Tenant, new: NewOrder) -> Document | None:
    """The stored order a capture is about, if we have it."""
    uuid = identity.order_uuid(new, tenant.uuid)
    known = queries.find_by_reference(tenant, uuid=uuid, name=new.external_id)
    if len(known) > 1:  # some names from before names were unique are those of two orders
        known = [d for d in known if new.external_id == d.order.external_id]
        if len(known) != 1 or new.id not in (None, known[0].order.uuid):
            raise CaptureConflict(["/id", "/external_id"])
    return known[0] if known else None


def _check_names(tenant: Tenant, new: NewOrder) -> None:
    """Raise `CaptureConflict` where the external id is another order's id, or the reverse."""
    own = str(identity.order_uuid(new, tenant.uuid))
    named = identity.kin(new).external_uuid
    pointers = {
        "/external_id": Order.objects.filter(tenant=tenant, uuid__in=[named] if named else []),
        "/id": Order.objects.filter(tenant=tenant, external_id__in=(own, own.upper())),
    }
    if taken := [pointer for pointer, orders in pointers.items() if orders.exists()]:
        raise CaptureConflict(taken)


def _repeat(known: Document, *, tenant: Tenant, new: NewOrder, actor: str) -> Captured:
    """Answer a capture of an order we have: the same again, more items, or a contradiction."""
    order = known.order
    items = {item.uuid: item for item in known.items}
    if all(uuid in items for uuid in identity.item_uuids(new, order.uuid)):
        shipments = {shipment.uuid: shipment for shipment in known.shipments}
        if found := identity.differences(new, order, items, shipments):
            raise CaptureConflict(found)
        return Captured(known, is_new=False)
    try:
        added = additions.add(order.pk, tenant=tenant, new=new, actor=actor)
    except IntegrityError as error:
        raise _conflict(error, tenant, new, order.uuid) from error
    return Captured(added, is_new=False)


def _conflict(error: IntegrityError, tenant: Tenant, new: NewOrder, order: UUID) -> Exception:
    """The refusal behind a broken promise of the database: an item of another order."""
    cause = error.__cause__
    constraint = cause.diag.constraint_name if isinstance(cause, pg.UniqueViolation) else None
    if constraint != "item_belongs_to_one_order_forever":
        return error
    uuids = identity.item_uuids(new, order)
    elsewhere = set(
        Item.objects.filter(tenant=tenant, uuid__in=uuids)
        .exclude(order__uuid=order)
        .values_list("uuid", flat=True)
    )
    placed = zip(new.item_paths(), uuids, strict=True)
    return CaptureConflict([f"{path}/id" for path, uuid in placed if uuid in elsewhere])


def _failed(why: str) -> InvalidCapture:
    return InvalidCapture(f"Validation of capture order failed with error: {why}.")
