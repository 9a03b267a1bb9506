"""Tests of `manage.py external_oms`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.orders.shop import Shop
from tests.webhooks.federated import FederatedShop
from webhooks.inspection import AN_ORDER, NO_ORDER, ORDERS, WRONG_KEY

pytestmark = pytest.mark.django_db(transaction=True)


def check(shop, *words, wrong=False):
    """Return the findings, and whether the command failed."""
    out = io.StringIO()
    words = words or ("--email", "ada@example.com")
    command = ("external_oms", "check", "--tenant", shop.tenant.slug, *words, "--json")
    if wrong:
        with pytest.raises(CommandError, match="of these are wrong"):
            call_command(*command, stdout=out)
    else:
        call_command(*command, stdout=out)
    return [tuple(finding.values()) for finding in json.loads(out.getvalue())]


def test_a_sound_one_is_right_in_every_respect(fake_oms):
    oms = fake_oms("good")

    findings = check(FederatedShop(oms))

    assert {verdict for _, verdict, _, _ in findings} == {"right"}
    assert {request for request, *_ in findings} == {ORDERS, AN_ORDER, WRONG_KEY, NO_ORDER}
    assert [target.partition("?")[0] for target in oms.asked()][:3] == [
        "/orders",
        "/orders/ADA-004",  # the first listed order
        "/orders/ADA-004",
    ]


def test_an_order_alone_will_do(fake_oms):
    findings = check(FederatedShop(fake_oms("good")), "--order", "ADA-001")

    assert {request for request, *_ in findings} == {AN_ORDER, WRONG_KEY, NO_ORDER}


@pytest.mark.parametrize(
    ("mode", "request_kind", "text", "pointer"),
    [
        ("no_price", ORDERS, "'price' is a required property", "/orders/0/items/0/price"),
        ("text_price", ORDERS, "a string is not of type 'number'", "/orders/0/items/0/price/net"),
        ("html", ORDERS, "syntax error at line 1, column 1", ""),
        ("no_totals", AN_ORDER, "'totals' is a required property", "/totals"),
        ("500", NO_ORDER, "answered 500, where 404 was expected", ""),
        ("403", ORDERS, "answered 403, where 200 was expected", ""),
        ("hang", ORDERS, "127.0.0.1 did not answer within 1 seconds.", ""),
        ("reset", NO_ORDER, "127.0.0.1 broke off its answer.", ""),
    ],
)
def test_what_is_wrong_is_said_and_pointed_at(fake_oms, mode, request_kind, text, pointer):
    findings = check(FederatedShop(fake_oms(mode), timeout=1), wrong=True)

    assert (request_kind, "wrong", text, pointer) in findings


def test_another_order_than_was_asked_for_is_wrong(fake_oms):
    findings = check(FederatedShop(fake_oms("wrong_order")), "--order", "ADA-001", wrong=True)

    assert (AN_ORDER, "wrong", "another than was asked for", "/id") in findings


def test_an_oms_that_takes_any_key_is_wrong(fake_oms):
    findings = check(FederatedShop(fake_oms("no_orders")), "--order", "ADA-001", wrong=True)

    assert (WRONG_KEY, "wrong", "answered 200, where 403 was expected", "") in findings


@pytest.mark.parametrize(
    ("mode", "request_kind", "text"),
    [
        ("html_type", ORDERS, "the Content-Type is not application/json"),
        ("oldest_first", ORDERS, "the newest order is not the first"),
        ("many", ORDERS, "only the newest 100 of 250 orders are read"),
    ],
)
def test_what_is_read_all_the_same_is_only_odd(fake_oms, mode, request_kind, text):
    findings = check(FederatedShop(fake_oms(mode)))

    assert (request_kind, "odd", text) in [finding[:3] for finding in findings]


def test_a_slow_one_is_odd(fake_oms):
    shop = FederatedShop(fake_oms("slow", "--seconds", "1.2"), timeout=2)

    findings = check(shop, "--order", "ADA-001")

    text = "took more than half of the time it has; people wait for this"
    assert (AN_ORDER, "odd", text, "") in findings


def test_people_get_a_table(fake_oms):
    out = io.StringIO()

    shop = FederatedShop(fake_oms("good"))
    call_command("external_oms", "check", "--tenant", shop.tenant.slug, "--order", "A", stdout=out)

    assert "What was asked" in out.getvalue()
    assert "an order nobody has" in out.getvalue()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Name an order it has"),
        (["--email", "a@b.cc", "--token", "t"], "never by both"),
        (["--order", "1"], "has no external_order_webhook"),
    ],
)
def test_what_cannot_be_checked_is_refused(words, message):
    with pytest.raises(CommandError, match=message):
        call_command("external_oms", "check", "--tenant", Shop().tenant.slug, *words)


def test_the_list_says_how_each_is_doing(fake_oms):
    well, ill = FederatedShop(fake_oms("good")), FederatedShop(fake_oms("500"))
    well.foreign("ADA-001")
    for _ in range(5):
        ill.detail("ADA-001", "external")
    out = io.StringIO()

    call_command("external_oms", "list", "--json", stdout=out)

    by_tenant = {row["tenant"]: row for row in json.loads(out.getvalue())}
    assert by_tenant[well.tenant.slug]["state"] == "well"
    assert by_tenant[ill.tenant.slug]["state"] == "resting"
    assert by_tenant[ill.tenant.slug]["last_error"] == "status_500"
    assert by_tenant[ill.tenant.slug]["rests_until"]
