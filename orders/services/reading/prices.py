"""Prices of an order's products, shipping and gift wrapping: docs/contract.md, Prices."""

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

# Names of the kinds in the message for a price that the order does not have.
_NAMES: Final = {"shipping": "shipment", "gift-wrapping": "gift wrapping"}


class NoSuchProduct(Invalid):
    code = "bad_request"


class NoSuchPrice(Invalid):
    """The order has no shipment, or no gift wrapping, with the requested id."""

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
    *, tenant: Tenant, reference: str, requests: Sequence[tuple[Kind, UUID | None]]
) -> PriceList:
    """Return the requested prices in order; `reference` is our id, the caller's or the number.

    A request for shipping or gift wrapping without an id returns all such lines of the order,
    which may be none. Raise `selection.TooManyItems`, `OrderNotFound`, `NoSuchProduct` if an item
    is not in the order, or `NoSuchPrice`.
    """
    selection.check_number(requests)
    key = queries.key_of(tenant, reference, id_type="any")
    document = queries.document(tenant.pk, key)
    products = selection.select(
        document.items,
        [uuid for kind, uuid in requests if kind == "product" and uuid is not None],
        refusal=NoSuchProduct,
    )
    ready = iter(
        Price("product", i.uuid, i.net, i.tax, i.gross, ItemStatus(i.status).value)
        for i in products
    )
    prices: list[Price] = []
    for kind, uuid in requests:
        if kind == "product":
            prices.append(next(ready))
        else:
            lines = _shipping(document) if kind == "shipping" else _gift_wrapping(document)
            prices += lines if uuid is None else [_line(kind, uuid, lines)]
    return PriceList(document.order.currency, prices)


def _line(kind: Kind, uuid: UUID, lines: Iterable[Price]) -> Price:
    """Return the line with this id. Raise `NoSuchPrice`."""
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
