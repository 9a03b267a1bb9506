"""What an order's products, shipping and gift wrapping cost: product §4.6, contract §b.7."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from configuration.models import Tenant
from ordermgmt.errors import Invalid
from orders.lifecycle import ItemStatus
from orders.services import queries, selection
from orders.services.announcements import gift_wrapping_id
from orders.services.queries import Document

Kind = Literal["product", "shipping", "gift-wrapping"]

# The price list's vocabulary has no word for what came back.
_STATUS: Final = {ItemStatus.RETURNED.value: ItemStatus.COMPLETE.value}


class NoSuchProduct(Invalid):
    code = "bad_request"


@dataclass(frozen=True, slots=True)
class Price:
    """One line of the list. The ids of shipping and gift wrapping are stable."""

    kind: Kind
    id: UUID
    net: Decimal
    tax: Decimal
    gross: Decimal
    status: str = ""  # products only


@dataclass(frozen=True, slots=True)
class PriceList:
    currency: str
    prices: list[Price]


def list_prices(
    *, tenant: Tenant, reference: str, asked: Sequence[tuple[Kind, UUID | None]]
) -> PriceList:
    """The prices asked for, in the order asked; `reference` is our id, the caller's or the number.

    One line a shipment for shipping, none for wrapping an order does not have. Raises
    `selection.TooManyItems`, `OrderNotFound`, and `NoSuchProduct` for a product of no item here.
    """
    selection.check_number(asked)
    key = queries.key_of(tenant, reference, id_type="any")
    document = queries.document(tenant.pk, key)
    products = selection.select(
        document.items, [uuid for _, uuid in asked if uuid is not None], refusal=NoSuchProduct
    )
    ready = iter(
        Price("product", i.uuid, i.net, i.tax, i.gross, _STATUS.get(i.status, i.status))
        for i in products
    )
    prices: list[Price] = []
    for kind, _ in asked:
        if kind == "product":
            prices.append(next(ready))
        else:
            prices += _shipping(document) if kind == "shipping" else _gift_wrapping(document)
    return PriceList(document.order.currency, prices)


def _shipping(document: Document) -> Iterator[Price]:
    for shipment in document.shipments:
        yield Price("shipping", shipment.uuid, shipment.net, shipment.tax, shipment.gross)


def _gift_wrapping(document: Document) -> Iterator[Price]:
    order = document.order
    if wrapping := order.details.get("gift_wrapping"):
        price = wrapping["price"]
        yield Price(
            "gift-wrapping",
            gift_wrapping_id(order),
            Decimal(price["net"]),
            Decimal(price["tax"]),
            Decimal(price["gross"]),
        )
