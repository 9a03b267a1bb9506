"""Orders as captures describe them, before they are stored.

Both vocabularies of a capture (the read model's and the injection's) are converted to these
classes, so the rules do not depend on the vocabulary. `columns` and `details` have keys only for
values that the caller sent, because a repeated capture is compared by those.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from ordermgmt.money import ZERO
from ordermgmt.values import names
from orders.models import PriceMethod

IN_STORE_HANDOVER: Final = "IN_STORE_HANDOVER"


@dataclass(frozen=True, slots=True)
class Price:
    """Amounts of one line: `gross = net + tax`; `base` is before the discount."""

    base: Decimal = ZERO
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    discount: Decimal = ZERO
    states_tax: ClassVar[bool] = False

    def under(self, method: str) -> "Price":
        """Return the price itself, because it does not depend on the price method."""
        return self


@dataclass(frozen=True, slots=True)
class PartialPrice:
    """A price in the read model's form, with optional `discount` and `base`.

    The discount defaults to the sum of the listed discounts.
    """

    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal | None = None
    base: Decimal | None = None
    listed_discount: Decimal = ZERO  # the sum of the listed discounts
    states_tax: ClassVar[bool] = True

    def under(self, method: str) -> Price:
        """Return the amounts by price method, with the defaults of what was not sent."""
        paid = self.gross if method == PriceMethod.TAX_INCLUDED else self.net
        discount = self.listed_discount if self.discount is None else self.discount
        base = paid + discount if self.base is None else self.base
        return Price(base, self.net, self.tax, self.gross, discount)


@dataclass(frozen=True, slots=True)
class Quote:
    """A price in the injection's form: one amount, with or without tax by price method.

    See docs/contract.md, Injection vocabulary.
    """

    base: Decimal
    tax: Decimal
    discount: Decimal = ZERO
    states_tax: bool = False  # in a member of its own, beside the tax lines

    def under(self, method: str) -> Price:
        """Return the amounts by price method."""
        paid = self.base - self.discount
        if method == PriceMethod.TAX_INCLUDED:
            return Price(self.base, paid - self.tax, self.tax, paid, self.discount)
        return Price(self.base, paid, self.tax, paid + self.tax, self.discount)


AnyPrice = Price | PartialPrice | Quote


@dataclass(slots=True)
class NewItem:
    """One unit of one product. `shipment` is an index into the order's `shipments`.

    An order's only shipment is the default; only a shipment that the caller named can contradict
    the stored one.
    """

    product_id: str
    price: AnyPrice
    id: UUID | None = None
    external_item_id: str = ""
    shipment: int | None = None
    names_shipment: bool = False
    is_in_store: bool = False
    is_preorder: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class NewShipment:
    """Items that travel together, with the routing strategy that the caller requested."""

    price: AnyPrice = field(default_factory=Price)
    id: UUID | None = None
    service_level: str = ""
    strategy: str = "default"
    location_code: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class NewOrder:
    """A capture as it was sent: `columns` are columns of `Order`, `details` its snapshot."""

    items: list[NewItem]
    shipments: list[NewShipment] = field(default_factory=list)
    id: UUID | None = None
    external_id: str | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    gift_wrapping: AnyPrice = field(default_factory=Price)
    nests_items: bool = False  # inside their shipments, as in the injection vocabulary

    def item_paths(self) -> list[str]:
        """Return JSON pointers to the items in the request body."""
        if not self.nests_items:
            return [f"/items/{n}" for n in range(len(self.items))]
        indexes: Counter[int | None] = Counter()
        paths = []
        for item in self.items:
            paths.append(f"/shipments/{item.shipment}/items/{indexes[item.shipment]}")
            indexes[item.shipment] += 1
        return paths

    @property
    def name(self) -> str | None:
        """Return the external id in the form in which names are compared and stored."""
        return self.external_id and names.normal(self.external_id)

    @property
    def is_complete_at_once(self) -> bool:
        """Return whether the order is complete at capture, so that it is never held or routed."""
        return bool(self.details.get("is_fulfilled") or self.details.get("is_historical"))

    def is_in_store(self, item: NewItem) -> bool:
        """Return whether the item is handed over in the store, so never held and never routed."""
        if item.is_in_store or item.shipment is None:
            return item.is_in_store
        return self.shipments[item.shipment].service_level == IN_STORE_HANDOVER

    @property
    def country(self) -> str:
        """Return the country of the shipping address (ISO 3166), or an empty string."""
        address: Mapping[str, Any] = self.details.get("shipping_address") or {}
        return str(address.get("country_code", ""))
