"""Amounts stay what they are, and fit their currency's smallest unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermgmt import strict_json
from ordermgmt.money import LARGEST_AMOUNT, LARGEST_TOTAL, PLACES, is_rounded, text


@pytest.mark.parametrize(
    ("currency", "places"),
    [("JPY", 0), ("KRW", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("TND", 3), ("CLF", 4)],
)
def test_a_currency_has_the_places_iso_4217_gives_it(currency, places):
    smallest = Decimal(1).scaleb(-places)

    assert PLACES[currency] == places
    assert is_rounded(smallest, currency)
    assert not is_rounded(smallest / 10, currency)


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "usd", "", "US", "USDX"])
def test_what_is_not_money_has_no_places(code):
    assert code not in PLACES


@pytest.mark.parametrize("amount", ["5", "5.0", "5.000000", "5E+2", "0.00", "1E+3"])
def test_zeros_behind_the_last_place_say_nothing(amount):
    assert is_rounded(Decimal(amount), "JPY")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_never_rounded(amount):
    assert not is_rounded(Decimal(amount), "USD")


@pytest.mark.parametrize(
    ("amount", "expected_text"),
    [("79.2000", "79.2"), ("72.0000", "72"), ("0.00", "0"), ("1E+3", "1000"), ("100", "100")],
)
def test_an_amount_is_written_as_people_write_it(amount, expected_text):
    assert text(Decimal(amount)) == expected_text


@given(st.decimals(min_value=0, max_value=LARGEST_AMOUNT, places=4))
def test_an_amount_survives_json_exactly(amount):
    assert Decimal(strict_json.loads(strict_json.dumps({"a": amount}))["a"]) == amount
    assert Decimal(text(amount)) == amount


def test_the_largest_amounts_and_totals_fit_their_columns():
    from orders.models import Order

    column = Order._meta.get_field("total")
    largest = Decimal(10) ** (column.max_digits - column.decimal_places)

    assert max(LARGEST_AMOUNT, LARGEST_TOTAL) < largest
