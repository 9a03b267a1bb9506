"""Merged reading of our orders and an external OMS's: docs/contract.md, External lookups."""

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

MOST_IN_ONE: Final = external_orders.MOST_ORDERS  # of a history without pages


class CustomerNotFound(NotFound):
    code = "customer_not_found"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with the identifiers by which our orders and the external OMS know them."""

    key: UUID
    oms_query: Mapping[str, str]  # empty if the OMS cannot be asked for this customer
    labels: Mapping[str, str]  # id and e-mail address as orders show them


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a customer's orders in both systems, newest first, with their total number."""

    orders: Sequence[Document | ExternalOrder]
    offset: int
    total: int
    customer: Mapping[str, str] = field(default_factory=dict)


def detail(tenant: Tenant, reference: str, *, id_type: IdType) -> Document | ExternalOrderDetail:
    """Return our order, or the external OMS's if the tenant has an OMS and asks by external id.

    Raise `OrderNotFound`, and the errors of `webhooks.external_orders.order`.
    """
    if id_type == "internal" or (webhook := external_orders.webhook_of(tenant)) is None:
        return queries.detail(tenant, reference, id_type=id_type)
    order = external_orders.order(tenant, webhook, reference)
    if order is None:
        raise OrderNotFound(f"The order '{reference[:64]}' couldn't be found.")
    return order


def history(tenant: Tenant, customer_id: str, *, offset: int, count: int) -> Page:
    """Return a customer's orders, newest first: ours, and the newest 100 of the external OMS.

    An order of both systems appears once, as the OMS has it, because the OMS fulfills it. Raise
    `external_orders.OmsFailed` for every failure of the OMS or of its configuration.
    """
    try:
        webhook = external_orders.webhook_of(tenant)
        if webhook is None:
            page = queries.history(tenant, customer_id, offset=offset, count=count)
            return Page(page.documents, page.offset, page.total)
        customer = _customer(tenant, customer_id)
        external = _external_orders(tenant, webhook, customer)
    except (external_orders.OmsAnswerInvalid, external_orders.OmsKeyRequired) as refusal:
        # Their statuses are documented for the history without pages only.
        raise external_orders.OmsFailed(str(refusal), **refusal.facts) from None
    return _merged(tenant, customer, external or [], offset=offset, count=count)


def whole_history(tenant: Tenant, customer_id: str) -> Page:
    """Return a customer's newest orders, without pages; none if there is no external OMS.

    Raise `CustomerNotFound` if neither system knows the customer, and the errors of
    `webhooks.external_orders.orders`.
    """
    webhook = external_orders.webhook_of(tenant)
    if webhook is None:
        return Page([], 0, 0)
    customer = _customer(tenant, customer_id)
    external = _external_orders(tenant, webhook, customer)
    page = _merged(tenant, customer, external or [], offset=0, count=MOST_IN_ONE)
    if external is None and not page.total:
        raise CustomerNotFound("customer with given customer_id not found")
    return page


def _external_orders(
    tenant: Tenant, webhook: ExternalOrderWebhook, customer: Customer
) -> list[ExternalOrder] | None:
    """Return the OMS's orders, or None if it cannot be asked or does not know the customer."""
    if not customer.oms_query:
        return None
    return external_orders.orders(tenant, webhook, **customer.oms_query)


def _customer(tenant: Tenant, customer_id: str) -> Customer:
    """Return a customer by the id that orders show, by its token or by the e-mail address."""
    is_email = "@" in customer_id
    shown_id, key = customer_id, pseudonyms.customer_key(tenant, customer_id)
    if is_email and not queries.number_of(tenant, key):  # some shops use e-mail addresses as ids
        shown_id = pseudonyms.customer_id_for(tenant, {"email": customer_id}, external_id=None)
        key = pseudonyms.customer_key(tenant, shown_id)
    email = customer_id if is_email else _last_email(tenant, key)
    if not tenant.uses_pii_tokens:
        oms_query = {"consumer_email": email} if email else {}
        return Customer(key, oms_query, {"id": shown_id, "email": email})
    if not pseudonyms.is_token(shown_id):
        shown_id = pseudonyms.token(tenant, key, "id", shown_id)
        # Remember the token, because the OMS gets only the token and may ask for its value.
        personal_tokens.remember(tenant, {shown_id: customer_id})
    email = pseudonyms.token(tenant, key, "email", email) if email else ""
    return Customer(key, {"consumer_token": shown_id}, {"id": shown_id, "email": email})


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
    """Return a page of both systems' orders. Query only those of ours that can be on it.

    External orders move one of ours down by `len(external)` at most. The page therefore contains
    none of our orders before `first`, and none after the `count + len(external)` from there.
    """
    own, both = _own(tenant, customer.key), _in_both(external)
    first = max(0, offset - len(external))
    slots = own.exclude(both).order_by("-placed_at", "-id").values_list("placed_at", "pk")
    candidates = list(slots[first : first + count + len(external)])
    merged: list[tuple[dt.datetime, int | ExternalOrder]] = [*candidates]
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
    return Page(orders, offset, total, customer.labels)


def _own(tenant: Tenant, key: UUID) -> QuerySet[Order]:
    return Order.objects.filter(tenant=tenant, customer_key=key)


def _in_both(external: Sequence[ExternalOrder]) -> Q:
    ids = [spelling for order in external for spelling in names.spellings(order.id)]
    ours = [UUID(o.origin_id) for o in external if queries.is_uuid(o.origin_id)]
    return Q(external_id__in=ids) | Q(number__in=ids) | Q(uuid__in=ours)
