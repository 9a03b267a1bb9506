"""Timeline descriptions: a sentence and a reason for every verb that services record.

Entries of older releases may lack facts, so a sentence omits what is missing.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ordermgmt import money
from orders.lifecycle import HoldKind
from orders.models import TimelineEntry

Facts = Mapping[str, Any]

# Reasons by the name of the rule that a service recorded.
RULES: Final[dict[str, str]] = {
    "order": "the order asked for it itself",
    "service_level": "its service level asks for it",
    "on_hold_timer_duration": "the tenant's grace period",
    "big_sales_order": "it is a big order",
    "nothing_holds_it": "nothing holds it any longer",
    "external_oms": "the external OMS takes over",
    "prerouted": "the caller named the location",
    "external": "the external OMS named the location",
    "nearest_location": "the first active location that serves the country",
    "no_locations": "there are no locations to choose from",
    "is_historical": "it was imported as history",
    "is_fulfilled": "it was fulfilled when it came",
    "in_store_handover": "the customer took it along",
    "preordered_item": "a pre-ordered item can be cancelled anywhere",
    "akinon_capture": "Akinon's capture call asked for it",
}
# Labels of the facts that a rule was applied to and that no sentence contains.
INPUTS: Final[dict[str, str]] = {
    "strategy": "strategy",
    "asked_for": "asked for",
    "country": "country",
    "soft_limit": "limit",
    "allowed_from": "allowed from",
}
# Texts of the reasons that are codes; other reasons are free text.
REASONS: Final[dict[str, str]] = {
    "unknown_location": "the location asked for is unknown or inactive",
    "no_location_serves_country": "no active location serves the country",
    "grace_period_ended": "its time was over",
    "order_captured": "the order was confirmed",
    "nothing_waits": "nothing waits any longer",
    "no_inventory": "no inventory",
    "cancellation_request": "a cancellation was requested",
    "cannot_fulfill": "the location cannot fulfill",
    "refused": "the location refused",
    "damaged_items": "damaged items",
    "rescinded": "rescinded",
}


@dataclass(frozen=True, slots=True)
class Description:
    """A timeline entry with a sentence that describes it, and its reason."""

    entry: TimelineEntry
    what: str
    why: str


def describe(entry: TimelineEntry, currency: str) -> Description:
    """Return the description of an entry. An unknown verb is described by its name.

    `currency` is the order's, for facts that lack the currency of their amounts.
    """
    facts: Facts = {"currency": currency} | (entry.facts if isinstance(entry.facts, dict) else {})
    words = WORDS.get(entry.verb)
    what = words(facts) if words else f"{entry.verb.replace('_', ' ').capitalize()}."
    return Description(entry, what, _why(facts))


def hold_label(kind: Any) -> str:
    """Return a hold as a noun: "grace period", "big-order hold"."""
    return {
        HoldKind.GRACE.value: "grace period",
        HoldKind.BIG_ORDER.value: "big-order hold",
        HoldKind.SUPPORT.value: "support hold",
    }.get(str(kind), f"{plain(kind)} hold".strip())


def duration(seconds: Any) -> str:
    """Return a number of seconds as text: "90 s", "15 min", "2 h 30 min", "3 days"."""
    if isinstance(seconds, Decimal) and seconds == int(seconds):
        seconds = int(seconds)
    if not isinstance(seconds, int):
        return plain(seconds)
    minutes, rest = divmod(seconds, 60)
    if rest or minutes == 0:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days and not (hours_left or minutes):
        return f"{days} day{'s' * (days > 1)}"
    return " ".join(f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min")) if n)


def items(number: Any) -> str:
    """Return "1 item" or "3 items" from a number, or from the items' ids."""
    count = len(number) if isinstance(number, list | dict) else number
    return "items" if count is None else f"{plain(count)} item{'s' * (count != 1)}"


def in_words(parts: Sequence[str]) -> str:
    """Return a list as text: "a, b and c"."""
    *others, last = parts or [""]
    return f"{', '.join(others)} and {last}" if others else last


def plain(value: Any) -> str:
    """Return a value of any JSON type as text without the notation of JSON or Python."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return money.text(value)
        case dict():
            pairs = ((plain(name), plain(part)) for name, part in value.items())
            return in_words([f"{name}: {part}" if part else name for name, part in pairs])
        case list():
            return in_words(list(filter(None, map(plain, value))))
    return str(value)


def _amount(facts: Facts, name: str) -> str:
    """Return an amount with its currency's decimals; other values are returned as text."""
    amount, currency = facts.get(name), plain(facts.get("currency"))
    if isinstance(amount, int | Decimal) and not isinstance(amount, bool):
        return f"{money.formatted(Decimal(amount), currency)} {currency}".strip()
    return f"{plain(amount)} {currency}".strip()


def reason(code: Any) -> str:
    """Return the text of a reason code; free text is returned unchanged."""
    return REASONS.get(code, code) if isinstance(code, str) else plain(code)


def _why(facts: Facts) -> str:
    """Return the rule of a decision with its inputs and the version of the configuration."""
    rule, config = facts.get("rule"), facts.get("config")
    parts = [RULES.get(rule, rule) if isinstance(rule, str) else plain(rule)] if rule else []
    parts += [f"{words} {plain(facts[name])}" for name, words in INPUTS.items() if facts.get(name)]
    if isinstance(config, dict):  # only the rule's setting, or the only setting
        read = [name for name in config if name == rule or len(config) == 1]
        parts += [f"{name} version {plain(config[name])}" for name in read]
    return ", ".join(parts)


def _captured(facts: Facts) -> str:
    total = f", {_amount(facts, 'total')}" if "total" in facts else ""
    return f"The order was captured: {items(facts.get('items'))}{total}."


def _items_added(facts: Facts) -> str:
    return f"{items(facts.get('items'))} added; the total is now {_amount(facts, 'total')}."


def _held(facts: Facts) -> str:
    kind = facts.get("hold")
    if kind == HoldKind.GRACE:
        return f"It waits for its grace period of {duration(facts.get('seconds'))}."
    if kind == HoldKind.BIG_ORDER:
        return f"It waits for approval: {plain(facts.get('reason', 'it is big'))}."
    waits = f" {_again(facts['parked'])}" if facts.get("parked") else ""
    return f"Put on hold: {plain(facts.get('reason', 'no reason given'))}.{waits}"


def _again(parked: Any) -> str:
    return f"{items(parked)} under way wait{'s' * (parked == 1)} again."


def _released(facts: Facts) -> str:
    kind, why = hold_label(facts.get("hold")), reason(facts.get("reason", "no reason given"))
    return f"The {kind} ended: {why}."


def _extended(facts: Facts) -> str:
    before, after = _clock(facts.get("from")), _clock(facts.get("to"))
    return f"The grace period was extended from {before} to {after}."


def _clock(moment: Any) -> str:
    try:
        at = dt.datetime.fromisoformat(str(moment)).astimezone(dt.UTC)
    except ValueError:
        return plain(moment)
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _routed(facts: Facts) -> str:
    place = plain(facts.get("location"))
    return f"{items(facts.get('items'))} went to {place or 'fulfillment, at no location'}."


def _cancelled(facts: Facts) -> str:
    suffix = f": {reason(facts['reason'])}" if facts.get("reason") else ""
    note = f" ({plain(facts['note'])})" if facts.get("note") else ""
    return f"The order was cancelled, {items(facts.get('items'))}{suffix}{note}."


def _items_cancelled(facts: Facts) -> str:
    suffix = f": {reason(facts['reason'])}" if facts.get("reason") else ""
    note = f" ({plain(facts['note'])})" if facts.get("note") else ""
    return f"{items(facts.get('items'))} cancelled{suffix}{note}."


def _rejected(facts: Facts) -> str:
    return f"{_at(facts)} could not fulfill {items(facts.get('items'))}: {_reasons(facts)}."


def _returned(facts: Facts) -> str:
    suffix = f": {_reasons(facts)}" if facts.get("reasons") else ""
    return f"{items(facts.get('items'))} came back{suffix}."


def _reasons(facts: Facts) -> str:
    codes = facts.get("reasons")
    return in_words(list(map(reason, codes))) if isinstance(codes, list) else "no reason given"


def _at(facts: Facts) -> str:
    return plain(facts.get("location")) or "The location"


def _completed(facts: Facts) -> str:
    if "items" in facts:
        return f"{items(facts['items'])} complete at once."
    return "Nothing is left to do: the order is closed."


def _serials(facts: Facts) -> str:
    by_item = facts.get("items")
    numbers = plain(list(by_item.values())) if isinstance(by_item, dict) else ""
    replaced = plain(facts.get("replaced"))
    before = f", in place of {replaced}" if replaced else ""
    return f"Serial numbers were attached: {numbers or 'none'}{before}."


def _note(action: str) -> Callable[[Facts], str]:
    return lambda facts: f"A note {'on an item ' if 'item' in facts else ''}was {action}."


def _confirmed(facts: Facts) -> str:
    return f"{items(facts.get('items'))} confirmed for fulfillment."


WORDS: Final[dict[str, Callable[[Facts], str]]] = {
    "captured": _captured,
    "items_added": _items_added,
    "held": _held,
    "released": _released,
    "extended": _extended,
    "opened": lambda _: "The order was opened for fulfillment.",
    "routed": _routed,
    "handed_over": lambda f: f"{items(f.get('items'))} handed over to the external OMS.",
    "conflicted": lambda f: f"{items(f.get('items'))} in conflict: {reason(f.get('reason'))}.",
    "packing": lambda f: f"{_at(f)} is packing {items(f.get('items'))}.",
    "items_completed": lambda f: f"{_at(f)} completed {items(f.get('items'))}.",
    "items_rejected": _rejected,
    "returned": _returned,
    "completed": _completed,
    "cancelled": _cancelled,
    "items_cancelled": _items_cancelled,
    "confirmed": _confirmed,
    "items_amended": lambda f: f"Attributes of {items(f.get('amended'))} were amended.",
    "serial_numbers_added": _serials,
    "note_added": _note("added"),
    "note_edited": _note("edited"),
    "note_deleted": _note("deleted"),
}
