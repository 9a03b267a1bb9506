"""Panels of the order page: the order's data in words, cut to a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ordermgmt.console.wording import moment
from orders.admin import amounts, goods, labels
from orders.admin.excerpts import ROWS, Panel, Row, attributes, listing, mapping, rows, short
from orders.models import Order, OrderNote
from orders.services.capture.pricing import CONTRADICTIONS
from orders.services.console.order_state import OrderState
from orders.services.timeline.descriptions import Description, describe
from orders.services.timeline.entries import latest
from webhooks.services import PublishedEvent

ENTRIES: Final = 30
NOTES: Final = 50
_FLAGS: Final = ("historical", "fulfilled", "offline", "exchange", "preconfirmed")


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A timeline entry in words, with the events it published."""

    description: Description
    at: str
    events: Sequence[PublishedEvent]


def panels(state: OrderState, *, items_from: int, before: int | None) -> dict[str, Any]:
    """Return the context of the page except its buttons, read by four statements."""
    document = state.document
    order, details = document.order, document.order.details
    balance = state.balance
    return {
        "order": order,
        "status": labels.order_status(order.status),
        "outcome": labels.outcome(balance.outcome),
        "placed": moment(order.placed_at),
        "captured": moment(order.captured_at),
        "total": labels.amount(order.total, order.currency),
        "contradictions": _contradictions(order),
        "remaining": balance.is_reduced and labels.amount(balance.remaining, order.currency),
        "totals": amounts.order_lines(order, balance),
        "customer": _customer(order),
        "customer_search": order.customer_email or order.customer_id,
        "addresses": _addresses(details),
        "facts": _facts(order),
        "items": goods.items(state, items_from),
        "shipments": goods.shipments(document),
        "payments": _payments(order),
        "attributes": attributes(details.get("extended_attributes")),
        "notes": _notes(order),
        "timeline": _timeline(order, before),
    }


def changes_since(order: Order, version: int) -> list[TimelineRow]:
    """Return the timeline after this version of the order, newest first."""
    return _entries(order, since=version)


def _contradictions(order: Order) -> list[str]:
    """Return sentences about price details that do not add up to their amounts."""
    return [
        f"{row['of'][:1].upper()}{row['of'][1:]}: "
        + CONTRADICTIONS[row["kind"]].format(
            sum=labels.amount(row["sum"], order.currency),
            amount=labels.amount(row["amount"], order.currency),
        )
        for row in map(mapping, listing(order.details.get("contradictions")))
    ]


def _customer(order: Order) -> list[Row]:
    customer = mapping(order.details.get("customer"))
    phones = (
        mapping(order.details.get(kind)).get("phone")
        for kind in ("shipping_address", "billing_address")
    )
    named = (
        ("Name", customer.get("name")),
        ("E-mail", order.customer_email),
        ("Phone", next(filter(None, phones), None)),
        ("Language", customer.get("language")),
        ("Id", order.customer_id),
    )
    return rows(named)


def _addresses(details: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    shipping = _lines(mapping(details.get("shipping_address")))
    billing = _lines(mapping(details.get("billing_address")))
    if shipping and shipping == billing:
        return [("Ships and bills to", shipping)]
    return [pair for pair in (("Ships to", shipping), ("Bills to", billing)) if pair[1]]


def _lines(address: Mapping[str, Any]) -> list[str]:
    line_members = (
        ("salutation", "title", "first_name", "second_name", "last_name", "suffix"),
        ("address_line_1",),
        ("address_line_2",),
        ("zip_code", "city"),
        ("province", "state"),
        ("country_code",),
        ("phone",),
        ("note",),
    )
    texts = ([str(address[name]) for name in names if address.get(name)] for names in line_members)
    return [short(" ".join(line)) for line in texts if line]


def _facts(order: Order) -> list[Row]:
    details = order.details
    channel = f"{order.get_channel_type_display()} {order.channel_name}".strip()
    flags = (flag for flag in _FLAGS if details.get(f"is_{flag}"))
    named = (
        ("Channel", ", ".join((channel, *flags))),
        ("Shop", f"{order.shop}, {order.shop_locale}"),
        ("Store", order.store_id),
        ("Associate", order.associate_id),
        ("Prices", order.get_price_method_display()),
        ("Shipping method", order.fulfillment_type.replace("_", " ")),
        ("Tax exempt", details.get("tax_exempt") and (details.get("exemption_number") or "yes")),
        ("IP address", details.get("ip_address")),
        ("Gift message", mapping(details.get("gift_wrapping")).get("message")),
        ("Id", order.uuid),
    )
    return rows(named)


def _payments(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "type": payment.get("type", ""),
            "method": short(" ".join(filter(None, (payment.get("method"), payment.get("wallet"))))),
            "processor": payment.get("processor", ""),
            "amount": labels.amount(payment["amount"], order.currency),
            "reference": payment.get("correlation_ref", ""),
            "at": payment.get("processed_at", "")[:16].replace("T", " "),
        }
        for payment in map(mapping, listing(order.details.get("payments"))[:ROWS])
    ]


def _notes(order: Order) -> Panel:
    notes = OrderNote.objects.filter(tenant=order.tenant_id, order=order).select_related("item")
    newest = list(notes.order_by("-created_at", "-id")[: NOTES + 1])
    page = [
        {
            "text": note.text,
            "source": note.source,
            "at": moment(note.created_at),
            "edited": note.updated_at > note.created_at,
            "item": note.item.product_id if note.item else "",
            "tags": (note.tags or [])[:ROWS],
        }
        for note in newest[:NOTES]
    ]
    return Panel(page, len(newest), NOTES if len(newest) > NOTES else None)


def _timeline(order: Order, before: int | None) -> Panel:
    entries = _entries(order, before=before)
    oldest = entries[-1].description.entry.version if entries else 1
    return Panel(entries, order.version, oldest if oldest > 1 else None, before is None)


def _entries(order: Order, *, before: int | None = None, since: int = 0) -> list[TimelineRow]:
    newest = latest(order, before=before, since=since, count=ENTRIES)
    return [
        TimelineRow(describe(row.entry, order.currency), moment(row.entry.at), row.events)
        for row in newest
    ]
