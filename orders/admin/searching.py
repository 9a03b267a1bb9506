"""Order search by number, id, customer or item: one index look-up for each."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from configuration.models import Tenant
from configuration.services.pseudonyms import customer_id_for, customer_key
from ordermgmt.values import names
from orders.models import Item, Order
from orders.services.reading.queries import is_uuid

MOST: Final = 1_000  # newest orders of one look-up, for instance of a popular product
LONGEST: Final = 256  # characters of the longest value that can be looked up
HELP: Final = "Number, external id, e-mail, SKU, serial number, customer id"


def search(term: str, tenants: Sequence[Tenant]) -> list[int]:
    """Return the keys of these tenants' orders that any look-up of the term matches."""
    if not term or len(term) > LONGEST or "\0" in term:
        return []
    first, *others = _lookups(term, tenants)
    return list(dict.fromkeys(key for (key,) in first.union(*others, all=True)))


def _lookups(term: str, tenants: Sequence[Tenant]) -> Iterator[QuerySet[Any, tuple[int]]]:
    orders = Order.objects.filter(tenant__in=tenants)
    items = Item.objects.filter(tenant__in=tenants)
    spellings = names.spellings(term)
    plain = names.search_form(term)
    yield orders.filter(number__in={*spellings, plain, plain.upper()}).values_list("pk")
    yield orders.filter(external_id__in=spellings).values_list("pk")
    yield _newest(items.filter(product_id__in=spellings), "order")
    yield _newest(items.filter(serial_number__in=spellings), "order")
    if "@" in term:
        emails = names.email_spellings(term)
        named = orders.alias(email=Lower("customer_email")).filter(email__in=emails)
        yield _newest(named.exclude(customer_email=""), "pk")
    if is_uuid(term):
        yield orders.filter(uuid=UUID(term)).values_list("pk")
        yield items.filter(uuid=UUID(term)).values_list("order")
    if len(tenants) == 1:  # customer keys differ from tenant to tenant
        keys = {customer_key(tenants[0], term)}
        if "@" in term:  # orders that identify their customer by this address only
            customer_id = customer_id_for(tenants[0], {"email": term}, external_id=None)
            keys.add(customer_key(tenants[0], customer_id))
        yield _newest(orders.filter(customer_key__in=keys), "pk")


def _newest(rows: QuerySet[Any], key: str) -> QuerySet[Any, tuple[int]]:
    return rows.annotate(result=F(key)).order_by("-result").values_list("result")[:MOST]
