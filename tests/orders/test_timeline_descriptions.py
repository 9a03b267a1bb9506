"""Timeline descriptions of every verb that services record."""

import ast
import re
from decimal import Decimal
from pathlib import Path

import pytest

from ordermgmt.money import PLACES
from orders import services
from orders.models import TimelineEntry
from orders.services.timeline.descriptions import RULES, WORDS, describe, duration, in_words, items

SERVICES = Path(services.__file__).parent


def told_verbs():
    """Every word services tell a story by, read from their code."""
    results = set()
    for file in SERVICES.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in ("record", "_record"):
                results |= {
                    word.value
                    for word in call.args[:2]
                    if isinstance(word, ast.Constant) and isinstance(word.value, str)
                }
    return results


def named_rules():
    """Every rule that services note by a literal name."""
    results = set()
    for file in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Dict):
                results |= {
                    value.value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                    and key.value == "rule"
                    and isinstance(value, ast.Constant)
                }
    return results


def test_every_verb_that_services_tell_has_words_and_no_other():
    assert told_verbs() == set(WORDS)


def test_every_rule_that_services_note_has_words():
    assert named_rules() <= set(RULES)
    assert len(named_rules()) > 5


# What a person would see of Python's or JSON's own notation.
RAW = re.compile(r"[\[\]{}]|None|True|False|Decimal\(|'[a-z_]+'")


def entry(verb, facts=None):
    return TimelineEntry(verb=verb, facts=facts, actor="staff:ada", version=1)


@pytest.mark.parametrize("verb", [*WORDS, "unheard_of"])
@pytest.mark.parametrize(
    "facts",
    [
        {},
        None,
        [],
        {"items": None, "reason": None, "reasons": None, "config": None, "parked": None},
        {"items": "x", "reason": ["a"], "reasons": "b", "config": [1], "hold": 7, "seconds": "9"},
        {"items": {}, "from": "yesterday", "to": {}, "rule": {"a": 1}, "replaced": [None]},
        {
            "items": {"a": ["b"]},
            "total": ["x"],
            "currency": [1],
            "seconds": Decimal(9),
            "reason": {"a": {"b": None}},
            "reasons": [["a"], True],
            "note": [Decimal("1.5")],
            "location": ["a", "b"],
            "allowed_from": ["store", "dc"],
            "country": {"x": [1]},
            "soft_limit": Decimal("3.0"),
            "strategy": False,
            "amended": ["a"],
            "parked": [1],
        },
    ],
)
def test_whatever_the_facts_are_there_is_a_sentence(verb, facts):
    description = describe(entry(verb, facts), "EUR")

    assert description.what.endswith(".")
    assert not RAW.search(description.what + description.why), description


@pytest.mark.parametrize(
    ("verb", "facts", "what", "why"),
    [
        (
            "held",
            {"hold": "grace", "seconds": 900, "rule": "on_hold_timer_duration",
             "config": {"on_hold_timer_duration": 3}},
            "It waits for its grace period of 15 min.",
            "the tenant's grace period, on_hold_timer_duration version 3",
        ),
        (
            "held",
            {"hold": "support", "reason": "address", "parked": 2},
            "Put on hold: address. 2 items under way wait again.",
            "",
        ),
        (
            "held",
            {"hold": "big_order", "reason": "12 items are more than 9", "rule": "big_sales_order"},
            "It waits for approval: 12 items are more than 9.",
            "it is a big order",
        ),
        (
            "extended",
            {"from": "2026-11-21T13:50:00Z", "to": "2026-11-21T14:05:00Z"},
            "The grace period was extended from 2026-11-21 13:50 UTC to 2026-11-21 14:05 UTC.",
            "",
        ),
        (
            "released",
            {"hold": "grace", "reason": "grace_period_ended"},
            "The grace period ended: its time was over.",
            "",
        ),
        (
            "conflicted",
            {"items": 1, "reason": "no_location_serves_country"},
            "1 item in conflict: no active location serves the country.",
            "",
        ),
        (
            "serial_numbers_added",
            {"items": {"a": "SN-1"}, "replaced": ["SN-0"]},
            "Serial numbers were attached: SN-1, in place of SN-0.",
            "",
        ),
    ],
)  # fmt: skip
def test_it_says_what_happened_and_why(verb, facts, what, why):
    description = describe(entry(verb, facts), "EUR")

    assert (description.what, description.why) == (what, why)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (90, "90 s"), (900, "15 min"), (5400, "1 h 30 min"), (7200, "2 h"),
     (86400, "1 day"), (259200, "3 days"), (90000, "25 h"), (0, "0 s")],
)  # fmt: skip
def test_it_counts_time_as_people_do(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("parts", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_is_told_in_words(parts, words):
    assert in_words(parts) == words


@pytest.mark.parametrize(
    ("verb", "facts", "what"),
    [
        (
            "serial_numbers_added",
            {"items": {"a": "SN-1", "b": "SN-2", "c": "SN-3"}, "replaced": ["X", "Y"]},
            "Serial numbers were attached: SN-1, SN-2 and SN-3, in place of X and Y.",
        ),
        (
            "items_rejected",
            {"location": "S1", "items": 2, "reasons": ["no_inventory", "damaged_items", "wet"]},
            "S1 could not fulfill 2 items: no inventory, damaged items and wet.",
        ),
        (
            "returned",
            {"items": 2, "reasons": ["too small", "too late"]},
            "2 items came back: too small and too late.",
        ),
    ],
)
def test_lists_in_a_sentence_are_words(verb, facts, what):
    assert describe(entry(verb, facts), "EUR").what == what


def test_where_cancelling_is_allowed_from_is_told_in_words():
    facts = {"items": 1, "allowed_from": ["store", "dc"]}

    assert describe(entry("cancelled", facts), "EUR").why == "allowed from store and dc"


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "CLF"])
def test_amounts_have_their_currencys_decimals(currency):
    amount = f"{1079:,.{PLACES[currency]}f} {currency}"
    facts = {"items": 2, "total": Decimal("1079.0000")}

    captured = describe(entry("captured", facts | {"currency": currency}), "")
    added = describe(entry("items_added", facts), currency)

    assert captured.what == f"The order was captured: 2 items, {amount}."
    assert added.what == f"2 items added; the total is now {amount}."


def test_it_counts_items():
    assert [items(n) for n in (1, 2, ["a"], {"a": 1, "b": 2}, None)] == [
        "1 item", "2 items", "1 item", "2 items", "items",
    ]  # fmt: skip
