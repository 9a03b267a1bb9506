"""Orders of tenants that keep an external OMS: its and ours, read as one: product §4.7."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from configuration.keys import ExternalOrderWebhook
from configuration.models import Tenant
from configuration.services import personal_tokens, pseudonyms
from ordermgmt.errors import NotFound
from ordermgmt.values import names
from orders.models import Order
from orders.services.reading import queries
from orders.services.reading.queries import Document, IdType, OrderNotFound
from webhooks.services import ExternalOrder, ExternalOrderDetail, external_orders

MOST_IN_ONE: Final = external_orders.MOST_ORDERS  # of a history that has no pages


class CustomerNotFound(NotFound):
    code = "customer_not_found"


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose history is read."""

    key: UUID
    asked_by: Mapping[str, str]  # what the OMS is told; empty when it cannot be asked
    shown: Mapping[str, str]  # id and e-mail address as orders show them


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a customer's orders, of both systems, newest first, and how many there are in all."""

    orders: Sequence[Document | ExternalOrder]
    offset: int
    total: int
    customer: Mapping[str, str] = field(default_factory=dict)


def detail(tenant: Tenant, reference: str, *, id_type: IdType) -> Document | ExternalOrderDetail:
    """One order: `internal` is ours, `external` the external OMS's where the tenant has one.

    Raises `OrderNotFound`, and what `webhooks.external_orders.order` does.
    """
    if id_type == "internal" or (webhook := external_orders.webhook_of(tenant)) is None:
        return queries.detail(tenant, reference, id_type=id_type)
    found = external_orders.order(tenant, webhook, reference)
    if found is None:
        raise OrderNotFound(f"The order '{reference[:64]}' couldn't be found.")
    return found


def history(tenant: Tenant, customer_id: str, *, offset: int, count: int) -> Page:
    """A customer's orders, newest `placed_at` first: ours, and the newest 100 of the external OMS.

    An order that both know appears once, as the OMS has it: where there is one, it fulfills.
    Raises `external_orders.OmsFailed` whatever is wrong with the OMS or with how to reach it.
    """
    try:
        webhook = external_orders.webhook_of(tenant)
        if webhook is None:
            page = queries.history(tenant, customer_id, offset=offset, count=count)
            return Page(page.documents, page.offset, page.total)
        customer = _customer(tenant, customer_id)
        external = _asked(tenant, webhook, customer)
    except (external_orders.OmsAnswerInvalid, external_orders.OmsKeyRequired) as refusal:
        # Their statuses are documented for the history without pages only.
        raise external_orders.OmsFailed(str(refusal), **refusal.facts) from None
    return _merged(tenant, customer, external or [], offset=offset, count=count)


def whole_history(tenant: Tenant, customer_id: str) -> Page:
    """The newest orders of a customer, without pages; empty for tenants without an external OMS.

    Raises `CustomerNotFound` for one whom neither system knows, and what
    `webhooks.external_orders.orders` does.
    """
    webhook = external_orders.webhook_of(tenant)
    if webhook is None:
        return Page([], 0, 0)
    customer = _customer(tenant, customer_id)
    external = _asked(tenant, webhook, customer)
    page = _merged(tenant, customer, external or [], offset=0, count=MOST_IN_ONE)
    if external is None and not page.total:
        raise CustomerNotFound("customer with given customer_id not found")
    return page


def _asked(
    tenant: Tenant, webhook: ExternalOrderWebhook, customer: Customer
) -> list[ExternalOrder] | None:
    """The OMS's orders of the customer; None if it knows no such, or cannot be asked."""
    if not customer.asked_by:
        return None
    return external_orders.orders(tenant, webhook, **customer.asked_by)


def _customer(tenant: Tenant, customer_id: str) -> Customer:
    """By the id that orders show, its token, or the e-mail address itself."""
    is_email = "@" in customer_id
    known_as, key = customer_id, pseudonyms.customer_key(tenant, customer_id)
    if is_email and not queries.number_of(tenant, key):  # some shops' ids are such addresses
        known_as = pseudonyms.customer_id_for(tenant, {"email": customer_id}, external_id=None)
        key = pseudonyms.customer_key(tenant, known_as)
    email = customer_id if is_email else _last_email(tenant, key)
    if not tenant.uses_pii_tokens:
        asked_by = {"consumer_email": email} if email else {}
        return Customer(key, asked_by, {"id": known_as, "email": email})
    if not pseudonyms.is_token(known_as):
        known_as = pseudonyms.token(tenant, key, "id", known_as)
        # The OMS gets the token alone, and must be able to turn it back.
        personal_tokens.remember(tenant, {known_as: customer_id})
    email = pseudonyms.token(tenant, key, "email", email) if email else ""
    return Customer(key, {"consumer_token": known_as}, {"id": known_as, "email": email})


def _last_email(tenant: Tenant, key: UUID) -> str:
    with_email = _own(tenant, key).exclude(customer_email="").order_by("-placed_at", "-id")
    return with_email.values_list("customer_email", flat=True).first() or ""


def _merged(
    tenant: Tenant,
    customer: Customer,
    external: Sequence[ExternalOrder],
    *,
    offset: int,
    count: int,
) -> Page:
    """A page of both. Of ours, only those that can be on it are looked at.

    An order of ours moves down by at most as many places as there are external ones. So those on
    the page are among the `count + len(external)` from `first` on, and whatever lies before
    `first` pushes all of them down alike.
    """
    own, both = _own(tenant, customer.key), _known_to_both(external)
    first = max(0, offset - len(external))
    slots = own.exclude(both).order_by("-placed_at", "-id").values_list("placed_at", "pk")
    found = list(slots[first : first + count + len(external)])
    merged: list[tuple[dt.datetime, int | ExternalOrder]] = [*found]
    merged += [(order.at, order) for order in external]
    merged.sort(key=lambda slot: slot[0], reverse=True)
    page = [order for _, order in merged[offset - first :][:count]]
    documents = {
        document.order.pk: document
        for document in queries.documents(tenant.pk, [pk for pk in page if isinstance(pk, int)])
    }
    total = queries.number_of(tenant, customer.key) + len(external)
    if external:
        total -= own.filter(both).count()
    orders = [documents[order] if isinstance(order, int) else order for order in page]
    return Page(orders, offset, total, customer.shown)


def _own(tenant: Tenant, key: UUID) -> QuerySet[Order]:
    return Order.objects.filter(tenant=tenant, customer_key=key)


def _known_to_both(external: Sequence[ExternalOrder]) -> Q:
    ids = [spelling for order in external for spelling in names.spellings(order.id)]
    ours = [UUID(o.origin_id) for o in external if queries.is_uuid(o.origin_id)]
    return Q(external_id__in=ids) | Q(number__in=ids) | Q(uuid__in=ours)
