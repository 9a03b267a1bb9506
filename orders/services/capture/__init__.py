"""Idempotent order capture: docs/contract.md, Capture."""

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
from configuration.services.policy import Policy, PolicyKey
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

ATTEMPTS: Final = 100

log = structlog.stdlib.get_logger(__name__)


class InvalidCapture(Invalid):
    code = "bad_request"


class SequenceMissing(Misconfigured):
    code = "internal_server_error"


class SequenceExhausted(Misconfigured):
    """No retry helps until an operator raises the size of the sequence."""

    code = "sequence_exhausted"


@dataclass(frozen=True, slots=True)
class Captured:
    """The order as it is stored, and a flag for an order that this call created."""

    document: Document
    is_new: bool


def capture(*, tenant: Tenant, new: NewOrder, actor: str) -> Captured:
    """Create an order, or return the stored order if the tenant has it. Commit the transaction.

    Must not be called in a transaction. The insert comes first and is one statement. It writes
    nothing if the order exists, if the cached policy is outdated, or if the drawn number is the
    external id of another order; the last two lead to another attempt. A capture that would be
    refused may still name a stored order, which is then returned. New items of a stored order on
    hold are added to it.

    Raise `CaptureConflict` if the capture contradicts the stored order, `InvalidCapture` or an
    error of `pricing` if it is invalid, `SequenceMissing` or `SequenceExhausted` if no number can
    be drawn. Nothing is written then.
    """
    key = policy_key(new)
    for attempt in range(ATTEMPTS):
        cached_policy = policies.cached_policy(tenant, key)
        document, refusal = None, None
        try:
            document = _create(tenant, new, cached_policy or policies.policy(tenant, key), actor)
        except DomainError as error:
            refusal = error
        if document:
            return Captured(document, is_new=True)
        if existing := _existing_order(tenant, new):
            return _repeat(existing, tenant=tenant, new=new, actor=actor)
        if attempt == 1:  # the first attempt may have failed because its policy was outdated
            _check_names(tenant, new)
        if refusal:
            _refresh_policy(tenant, key, cached_policy, refusal)
        else:
            _try_next_number(tenant, key)
    raise Unavailable(
        "What is configured, or which numbers are taken, changed all the while; try again."
    )


def _refresh_policy(
    tenant: Tenant, key: PolicyKey, cached: Policy | None, refusal: DomainError
) -> None:
    """Read the policy again for the next attempt. Raise the refusal if the policy is current."""
    if not cached or policies.policy(tenant, key).revision == cached.revision:
        raise refusal


def _try_next_number(tenant: Tenant, key: PolicyKey) -> None:
    """Let the next attempt draw the next number, by a policy that it reads again.

    An insert that writes nothing leaves open whether the number or the policy was the cause.
    """
    policies.invalidate(tenant, key)


def _create(tenant: Tenant, new: NewOrder, rules: Policy, actor: str) -> Document | None:
    """Return the new order, or None if the insert wrote nothing. Raise the refusals."""
    if "currency" not in new.columns:
        raise InvalidCapture(
            "Validation of capture order failed with error: 'currency' is a required property."
        )
    if rules.numbering is None:
        raise SequenceMissing("Sequence for tenant is not configured.")
    check_strategies(new, rules)
    change = assemble(new, tenant=tenant, policy=rules, actor=actor)
    if not _insert(change, rules, tenant, new):
        return None
    return Document(change.order, change.items, change.shipments)


def _insert(change: OrderChange, rules: Policy, tenant: Tenant, new: NewOrder) -> bool:
    """Insert the order with one autocommitted statement. Return False if it wrote nothing."""
    try:
        failpoint("capture.before_commit")
        is_inserted = persistence.insert(change, rules, identity.kin(new))
        failpoint("capture.after_commit")
    except IntegrityError as error:
        _check_item_owners(error, tenant, new, change.order.uuid)
        raise
    except DataError as error:
        if isinstance(error.__cause__, pg.SequenceGeneratorLimitExceeded):
            log.error("order numbers used up", tenant=tenant.slug)
            raise SequenceExhausted(
                "All order numbers of the tenant's sequence have been given out."
            ) from error
        raise
    except (ProgrammingError, InternalError):
        if not sequences.exists(tenant):
            return False  # a concurrent reset dropped the sequence, so the policy is outdated
        raise
    if is_inserted and rules.numbering and change.order.number == rules.numbering.nearly_used_at:
        log.warning("order numbers nearly used up", tenant=tenant.slug, percent=NEARLY_USED)
    return is_inserted


def check_strategies(new: NewOrder, rules: Policy) -> None:
    """Raise `InvalidCapture` if the routing strategies do not fit the tenant's role.

    See docs/contract.md, Second-tier orders.
    """
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


def _existing_order(tenant: Tenant, new: NewOrder) -> Document | None:
    """Return the stored order that the capture names, or None. Raise `CaptureConflict` if two."""
    uuid = identity.order_uuid(new, tenant.uuid)
    matches = queries.find_by_reference(tenant, uuid=uuid, name=new.external_id)
    if len(matches) > 1:  # legacy orders may share a name, because names were not unique
        matches = [d for d in matches if new.external_id == d.order.external_id]
        if len(matches) != 1 or new.id not in (None, matches[0].order.uuid):
            raise CaptureConflict(["/id", "/external_id"])
    return matches[0] if matches else None


def _check_names(tenant: Tenant, new: NewOrder) -> None:
    """Raise `CaptureConflict` if the external id is another order's id, or the reverse."""
    own = str(identity.order_uuid(new, tenant.uuid))
    external_uuid = identity.kin(new).external_uuid
    others = {
        "/external_id": Order.objects.filter(
            tenant=tenant, uuid__in=[external_uuid] if external_uuid else []
        ),
        "/id": Order.objects.filter(tenant=tenant, external_id__in=(own, own.upper())),
    }
    if pointers := [pointer for pointer, orders in others.items() if orders.exists()]:
        raise CaptureConflict(pointers)


def _repeat(existing: Document, *, tenant: Tenant, new: NewOrder, actor: str) -> Captured:
    """Return the stored order after adding the items it lacks. Raise `CaptureConflict`."""
    order = existing.order
    items = {item.uuid: item for item in existing.items}
    if all(uuid in items for uuid in identity.item_uuids(new, order.uuid)):
        shipments = {shipment.uuid: shipment for shipment in existing.shipments}
        if differences := identity.differences(new, order, items, shipments):
            raise CaptureConflict(differences)
        return Captured(existing, is_new=False)
    try:
        extended = additions.add(order.pk, tenant=tenant, new=new, actor=actor)
    except IntegrityError as error:
        _check_item_owners(error, tenant, new, order.uuid)
        raise
    return Captured(extended, is_new=False)


def _check_item_owners(error: IntegrityError, tenant: Tenant, new: NewOrder, order: UUID) -> None:
    """Raise `CaptureConflict` if the error is about items that belong to another order."""
    cause = error.__cause__
    constraint = cause.diag.constraint_name if isinstance(cause, pg.UniqueViolation) else None
    if constraint != "item_belongs_to_one_order_forever":
        return
    uuids = identity.item_uuids(new, order)
    elsewhere = set(
        Item.objects.filter(tenant=tenant, uuid__in=uuids)
        .exclude(order__uuid=order)
        .values_list("uuid", flat=True)
    )
    paths = zip(new.item_paths(), uuids, strict=True)
    raise CaptureConflict([f"{path}/id" for path, uuid in paths if uuid in elsewhere]) from error
