"""Items and shipments of the order page."""

from collections.abc import Mapping
from typing import Any, Final

from configuration.models import Location
from orders.admin import amounts, labels
from orders.admin.excerpts import ROWS, Panel, attributes, mapping, rows, short, words
from orders.models import Item, Order, Shipment
from orders.services.console.order_state import OrderState
from orders.services.reading.queries import Document
from orders.services.timeline.descriptions import items as items_in_words
from orders.services.timeline.descriptions import reason

ITEMS: Final = 100


def items(state: OrderState, first: int) -> Panel:
    """Return the order's items from position `first`; one statement reads location names."""
    order, every = state.document.order, state.document.items
    first = first if first < len(every) else 0
    page = every[first : first + ITEMS]
    codes = {item.location_code for item in page if item.location_code}
    places = Location.objects.filter(tenant=state.tenant, code__in=codes)
    names = dict(places.values_list("code", "name"))
    more = first + ITEMS if first + ITEMS < len(every) else None
    return Panel([_item(i, order, names) for i in page], len(every), more, first == 0)


def _item(item: Item, order: Order, places: Mapping[str, str]) -> dict[str, Any]:
    product = mapping(item.details.get("product_attributes"))
    variant = [product.get(name) for name in ("size", "color")]
    variant += [product.get(f"additional_variant_{n}") for n in (1, 2)]
    serials = mapping(item.details.get("external_identifier")) | (
        {"serial_number": item.serial_number} if item.serial_number else {}
    )
    return {
        "item": item,
        "status": labels.item_status(item.status),
        "conflict": reason(item.conflict_reason) if item.conflict_reason else "",
        "name": short(product.get("name") or ""),
        "variant": short(", ".join(str(v) for v in variant if v)),
        "price": amounts.price_lines(item, order),
        "identifiers": rows((words(name), value) for name, value in list(serials.items())[:ROWS]),
        "place": item.location_code,
        "place_name": places.get(item.location_code, ""),
        "shipment": item.shipment.position + 1 if item.shipment else None,
        "attributes": attributes(item.attributes),
    }


def shipments(document: Document) -> list[dict[str, Any]]:
    """Return all of the order's shipments."""
    return [_shipment(shipment, document) for shipment in document.shipments]


def _shipment(shipment: Shipment, document: Document) -> dict[str, Any]:
    destination = f" to {shipment.location_code}" if shipment.location_code else ""
    members = [item for item in document.items if item.shipment_id == shipment.pk]
    tracked = dict.fromkeys((i.carrier, i.tracking_code) for i in members if i.tracking_code)
    return {
        "number": shipment.position + 1,
        "level": shipment.service_level or "no service level",
        "method": shipment.shipping_method.replace("_", " "),
        "routing": f"{shipment.strategy}{destination}",
        "items": items_in_words(len(members)),
        "price": amounts.price_lines(shipment, document.order),
        "tracking": [" ".join(filter(None, pair)) for pair in list(tracked)[:ROWS]],
    }
