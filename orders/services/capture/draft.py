"""An order as a caller describes it, in the domain's own words, before it is one of ours.

Both vocabularies a caller may use (the read model's and the injection's) end here, so the rules
below never know which one it was. What was not said stays unsaid: `said` and `details` have a key
only where the caller gave a value, and that is what a repeated capture is compared by.
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
    """Amounts of one thing: `gross = net + tax`; `base` is before the discount."""

    base: Decimal = ZERO
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    discount: Decimal = ZERO
    says_tax: ClassVar[bool] = False

    def under(self, method: str) -> "Price":
        """Itself: its amounts do not depend on whether prices include tax."""
        return self


@dataclass(frozen=True, slots=True)
class PartialPrice:
    """A price in the read model's form, whose `discount` and `base` may be unsaid.

    A discount that is unsaid is what the listed discounts take off.
    """

    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal | None = None
    base: Decimal | None = None
    taken_off: Decimal = ZERO  # by the listed discounts
    says_tax: ClassVar[bool] = True

    def under(self, method: str) -> Price:
        paid = self.gross if method == PriceMethod.TAX_INCLUDED else self.net
        discount = self.taken_off if self.discount is None else self.discount
        base = paid + discount if self.base is None else self.base
        return Price(base, self.net, self.tax, self.gross, discount)


@dataclass(frozen=True, slots=True)
class Quote:
    """A price in the injection's form: one amount, with or without tax by method (§a.1.4)."""

    base: Decimal
    tax: Decimal
    discount: Decimal = ZERO
    says_tax: bool = False  # and not by its tax lines

    def under(self, method: str) -> Price:
        paid = self.base - self.discount
        if method == PriceMethod.TAX_INCLUDED:
            return Price(self.base, paid - self.tax, self.tax, paid, self.discount)
        return Price(self.base, paid, self.tax, paid + self.tax, self.discount)


AnyPrice = Price | PartialPrice | Quote


@dataclass(slots=True)
class NewItem:
    """One unit of one product. `shipment` is a place in the order's `shipments`.

    It may follow from there being one; only one that is named contradicts another.
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
    """Items that travel together, and how the caller wants them routed."""

    price: AnyPrice = field(default_factory=Price)
    id: UUID | None = None
    service_level: str = ""
    strategy: str = "default"
    location_code: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class NewOrder:
    """A capture, as it was said: `said` are columns of `Order`, `details` its snapshot."""

    items: list[NewItem]
    shipments: list[NewShipment] = field(default_factory=list)
    id: UUID | None = None
    external_id: str | None = None
    said: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    gift_wrapping: AnyPrice = field(default_factory=Price)
    nests_items: bool = False  # inside their shipments, as injection does

    def item_paths(self) -> list[str]:
        """JSON pointers to the items, where they stand in what was sent."""
        if not self.nests_items:
            return [f"/items/{n}" for n in range(len(self.items))]
        places: Counter[int | None] = Counter()
        paths = []
        for item in self.items:
            paths.append(f"/shipments/{item.shipment}/items/{places[item.shipment]}")
            places[item.shipment] += 1
        return paths

    @property
    def name(self) -> str | None:
        """Return the external id in the form in which names are compared and stored."""
        return self.external_id and names.normal(self.external_id)

    @property
    def is_complete_at_once(self) -> bool:
        """Sold and gone when we hear of it: nothing to hold, nothing to route (§3)."""
        return bool(self.details.get("is_fulfilled") or self.details.get("is_historical"))

    def is_in_store(self, item: NewItem) -> bool:
        """Handed over where it was bought, so never held and never routed."""
        if item.is_in_store or item.shipment is None:
            return item.is_in_store
        return self.shipments[item.shipment].service_level == IN_STORE_HANDOVER

    @property
    def country(self) -> str:
        """Where it goes: ISO 3166, or empty when nobody said."""
        address: Mapping[str, Any] = self.details.get("shipping_address") or {}
        return str(address.get("country_code", ""))
