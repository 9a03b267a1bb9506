"""What an order's products, shipping and gift wrapping cost: product §4.6, contract §b.7."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from configuration.models import Tenant
from ordermgmt.errors import Invalid
from orders.lifecycle import ItemStatus
from orders.services.events.order_payloads import gift_wrapping_id
from orders.services.reading import queries, selection
from orders.services.reading.queries import Document

Kind = Literal["product", "shipping", "gift-wrapping"]

# What a line of a kind is called when a caller names one that the order does not have.
_NAMES: Final = {"shipping": "shipment", "gift-wrapping": "gift wrapping"}


class NoSuchProduct(Invalid):
    code = "bad_request"


class NoSuchPrice(Invalid):
    """The order has no shipment, or no gift wrapping, of the id that was named."""

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

    Without an id, one line a shipment for shipping, and none for wrapping an order does not have;
    with the id of such a line, that line. Raises `selection.TooManyItems`, `OrderNotFound`,
    `NoSuchProduct` for a product of no item here, and `NoSuchPrice`.
    """
    selection.check_number(asked)
    key = queries.key_of(tenant, reference, id_type="any")
    document = queries.document(tenant.pk, key)
    products = selection.select(
        document.items,
        [uuid for kind, uuid in asked if kind == "product" and uuid is not None],
        refusal=NoSuchProduct,
    )
    ready = iter(
        Price("product", i.uuid, i.net, i.tax, i.gross, ItemStatus(i.status).value)
        for i in products
    )
    prices: list[Price] = []
    for kind, uuid in asked:
        if kind == "product":
            prices.append(next(ready))
        else:
            lines = _shipping(document) if kind == "shipping" else _gift_wrapping(document)
            prices += lines if uuid is None else [_line(kind, uuid, lines)]
    return PriceList(document.order.currency, prices)


def _line(kind: Kind, uuid: UUID, lines: Iterable[Price]) -> Price:
    """The line of that id; raises `NoSuchPrice`."""
    for line in lines:
        if line.id == uuid:
            return line
    raise NoSuchPrice(f"The {_NAMES[kind]} with id {uuid} cannot be found.")


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
