"""An order as its page shows it: in words, and no more of it than fits a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from configuration.models import Location
from orders.admin import labels
from orders.models import Item, Order, OrderNote, Shipment
from orders.services.possibilities import Standing
from orders.services.queries import Document
from orders.services.retelling import Retold, items, reason, retell
from orders.services.timeline import latest
from webhooks.services import Announced

ITEMS: Final = 100
HAPPENINGS: Final = 30
NOTES: Final = 50
ROWS: Final = 40  # of attributes and the like
LONGEST: Final = 200  # characters of one value

_FLAGS: Final = ("historical", "fulfilled", "offline", "exchange", "preconfirmed")

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """Some rows of many: what is shown, how many there are, and where the next ones are."""

    rows: Sequence[Any]
    total: int
    next: int | None = None
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A happening in words, with the events it announced."""

    retold: Retold
    at: str
    events: Sequence[Announced]


def panels(standing: Standing, *, items_from: int, before: int | None) -> dict[str, Any]:
    """Everything the page shows of an order, but its buttons. Four statements."""
    document = standing.document
    order, details = document.order, document.order.details
    return {
        "order": order,
        "status": labels.order_status(order.status),
        "placed": labels.moment(order.placed_at),
        "captured": labels.moment(order.captured_at),
        "total": labels.amount(order.total, order.currency),
        "totals": _totals(order),
        "customer": _customer(order),
        "customer_search": order.customer_email or order.customer_id,
        "addresses": _addresses(details),
        "facts": _facts(order),
        "items": _items(standing, items_from),
        "shipments": [_shipment(s, document) for s in document.shipments],
        "payments": _payments(order),
        "attributes": _attributes(details.get("extended_attributes")),
        "notes": _notes(order),
        "timeline": _timeline(order, before),
    }


def happenings_since(order: Order, version: int) -> list[Told]:
    """What happened after this version of the order, newest first."""
    return _told(order, since=version)


def short(value: Any) -> str:
    """A value as text, of which no more is shown than anybody reads."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def _totals(order: Order) -> list[Row]:
    named = (
        ("Items, net", order.net),
        ("Tax", order.tax),
        ("Shipping", order.shipping),
        ("Gift wrapping", order.gift_wrapping),
    )
    rows = [(name, labels.amount(value, order.currency)) for name, value in named if value]
    if order.discount:
        rows.append(("Saved by discounts", labels.amount(order.discount, order.currency)))
    return rows


def _customer(order: Order) -> list[Row]:
    customer = _mapping(order.details.get("customer"))
    phones = (
        _mapping(order.details.get(kind)).get("phone")
        for kind in ("shipping_address", "billing_address")
    )
    rows = (
        ("Name", customer.get("name")),
        ("E-mail", order.customer_email),
        ("Phone", next(filter(None, phones), None)),
        ("Language", customer.get("language")),
        ("Id", order.customer_id),
    )
    return _rows(rows)


def _addresses(details: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    shipping = _lines(_mapping(details.get("shipping_address")))
    billing = _lines(_mapping(details.get("billing_address")))
    if shipping and shipping == billing:
        return [("Ships and bills to", shipping)]
    return [pair for pair in (("Ships to", shipping), ("Bills to", billing)) if pair[1]]


def _lines(address: Mapping[str, Any]) -> list[str]:
    together = (
        ("salutation", "title", "first_name", "second_name", "last_name", "suffix"),
        ("address_line_1",),
        ("address_line_2",),
        ("zip_code", "city"),
        ("province", "state"),
        ("country_code",),
        ("phone",),
        ("note",),
    )
    said = ([str(address[name]) for name in names if address.get(name)] for names in together)
    return [short(" ".join(line)) for line in said if line]


def _facts(order: Order) -> list[Row]:
    details = order.details
    named = (
        ("Channel", f"{order.get_channel_type_display()} {order.channel_name}".strip()),
        ("Shop", f"{order.shop}, {order.shop_locale}"),
        ("Store", order.store_id),
        ("Associate", order.associate_id),
        ("Prices", order.get_price_method_display()),
        ("Travels", order.fulfillment_type.replace("_", " ")),
        ("Tax exempt", details.get("tax_exempt") and (details.get("exemption_number") or "yes")),
        ("IP address", details.get("ip_address")),
        ("Gift message", _mapping(details.get("gift_wrapping")).get("message")),
        ("Id", order.uuid),
    )
    came_as = (flag for flag in _FLAGS if details.get(f"is_{flag}"))
    return _rows((*named, ("Came as", ", ".join(came_as))))


def _items(standing: Standing, first: int) -> Panel:
    order, every = standing.document.order, standing.document.items
    first = first if first < len(every) else 0
    shown = every[first : first + ITEMS]
    codes = {item.location_code for item in shown if item.location_code}
    places = Location.objects.filter(tenant=standing.tenant, code__in=codes)
    names = dict(places.values_list("code", "name"))
    more = first + ITEMS if first + ITEMS < len(every) else None
    return Panel([_item(i, order, names) for i in shown], len(every), more, first == 0)


def _item(item: Item, order: Order, places: Mapping[str, str]) -> dict[str, Any]:
    product = _mapping(item.details.get("product_attributes"))
    variant = [product.get(name) for name in ("size", "color")]
    variant += [product.get(f"additional_variant_{n}") for n in (1, 2)]
    serials = _mapping(item.details.get("external_identifier")) | (
        {"serial_number": item.serial_number} if item.serial_number else {}
    )
    return {
        "item": item,
        "status": labels.item_status(item.status),
        "conflict": reason(item.conflict_reason) if item.conflict_reason else "",
        "name": short(product.get("name") or ""),
        "variant": short(", ".join(str(v) for v in variant if v)),
        "base": labels.amount(item.base, order.currency) if item.discount else "",
        "discount": labels.amount(item.discount, order.currency) if item.discount else "",
        "discounts": [_discount(d, order) for d in _listing(item.details.get("discounts"))[:ROWS]],
        "gross": labels.amount(item.gross, order.currency),
        "tax": labels.amount(item.tax, order.currency),
        "identifiers": _rows((_words(name), value) for name, value in list(serials.items())[:ROWS]),
        "place": item.location_code,
        "place_name": places.get(item.location_code, ""),
        "shipment": item.shipment.position + 1 if item.shipment else None,
        "attributes": _attributes(item.attributes),
    }


def _discount(discount: Any, order: Order) -> str:
    said = _mapping(discount)
    why = said.get("coupon_code") or said.get("reason") or said.get("level") or ""
    try:
        taken = labels.amount(said["price_adjustment"], order.currency)
    except (KeyError, TypeError, ValueError):
        taken = str(said.get("price_adjustment", ""))
    return short(f"{taken} {why}".strip())


def _shipment(shipment: Shipment, document: Document) -> dict[str, Any]:
    currency = document.order.currency
    asked = f" to {shipment.location_code}" if shipment.location_code else ""
    travels = [item for item in document.items if item.shipment_id == shipment.pk]
    tracked = dict.fromkeys((i.carrier, i.tracking_code) for i in travels if i.tracking_code)
    return {
        "number": shipment.position + 1,
        "level": shipment.service_level or "no service level",
        "method": shipment.shipping_method.replace("_", " "),
        "routing": f"{shipment.strategy}{asked}",
        "items": items(len(travels)),
        "price": labels.amount(shipment.gross, currency),
        "discount": labels.amount(shipment.discount, currency) if shipment.discount else "",
        "tracking": [" ".join(filter(None, pair)) for pair in list(tracked)[:ROWS]],
    }


def _payments(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "type": said.get("type", ""),
            "method": short(" ".join(filter(None, (said.get("method"), said.get("wallet"))))),
            "processor": said.get("processor", ""),
            "amount": labels.amount(said["amount"], order.currency),
            "reference": said.get("correlation_ref", ""),
            "at": said.get("processed_at", "")[:16].replace("T", " "),
        }
        for said in map(_mapping, _listing(order.details.get("payments"))[:ROWS])
    ]


def _notes(order: Order) -> Panel:
    found = OrderNote.objects.filter(tenant=order.tenant_id, order=order).select_related("item")
    newest = list(found.order_by("-created_at", "-id")[: NOTES + 1])
    shown = [
        {
            "text": note.text,
            "source": note.source,
            "at": labels.moment(note.created_at),
            "edited": note.updated_at > note.created_at,
            "item": note.item.product_id if note.item else "",
            "tags": (note.tags or [])[:ROWS],
        }
        for note in newest[:NOTES]
    ]
    return Panel(shown, len(newest), NOTES if len(newest) > NOTES else None)


def _timeline(order: Order, before: int | None) -> Panel:
    told = _told(order, before=before)
    oldest = told[-1].retold.entry.version if told else 1
    return Panel(told, order.version, oldest if oldest > 1 else None, before is None)


def _told(order: Order, *, before: int | None = None, since: int = 0) -> list[Told]:
    found = latest(order, before=before, since=since, count=HAPPENINGS)
    return [Told(retell(h.entry), labels.moment(h.entry.at), h.events) for h in found]


def _attributes(attributes: Any) -> Panel:
    """Extended attributes: names and values somebody else chose."""
    every = _listing(attributes)
    said = [_mapping(attribute) for attribute in every[:ROWS]]
    return Panel([(short(a.get("name")), short(a.get("value"))) for a in said], len(every))


def _rows(named: Iterable[tuple[str, Any]]) -> list[Row]:
    return [(name, short(value)) for name, value in named if value]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
