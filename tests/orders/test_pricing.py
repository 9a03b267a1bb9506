"""Amounts are exact from capture to reading, in both forms, with and without tax in them."""

from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordermgmt.money import PLACES
from tests.orders.shop import Shop, item, items, order, problem, rows, sample, stored

pytestmark = pytest.mark.django_db
NOT_ROUNDED = "[input_error:price_not_rounded_according_currency] "


def injected(*prices, external_id=None, shipping=None, **members):
    """An order in the injection's form: one shipment, an item for each price."""
    results = [{"product_id": "SKU-1", "id": str(uuid4()), "price": price} for price in prices]
    shipment = {"items": results, "shipping_option": shipping or {}}
    body = {"external_id": external_id or str(uuid4()), "currency": "EUR"}
    return body | {"shipments": [shipment]} | members


def lines(*amounts):
    return [{"amount": amount, "rate": 0.1, "name": "VAT"} for amount in amounts]


def taken(amount, **members):
    body = {"discount_ref": "D", "type": "fixed", "original_value": amount}
    return [body | {"price_adjustment": amount} | members]


class TestTheSeedsTotals:
    def test_of_the_detail_sample_add_up(self):
        body = order(
            item(price={"base": 80, "net": 72, "tax": Decimal("7.2"), "gross": Decimal("79.2")}),
            currency="USD",
            shipments=[
                {
                    "price": {
                        "base": Decimal("20.75"),
                        "net": Decimal("20.75"),
                        "tax": Decimal("4.25"),
                        "gross": 25,
                        "discount": 0,
                    }
                }
            ],
            gift_wrapping={"price": {"net": Decimal("4.5"), "tax": Decimal("0.5"), "gross": 5}},
        )
        body["items"][0]["price"]["discount"] = 8
        shop = Shop()

        answer = shop.captured(body)

        assert shop.order(answer["origin_id"])["totals"] == answer["totals"]
        assert answer["totals"] == {
            "net": 72,
            "tax": Decimal("7.2"),
            "gross": Decimal("79.2"),
            "discount": 8,
            "shipping": 25,
            "gift_wrapping": 5,
            "total": Decimal("109.2"),
        }

    def test_of_the_history_sample_add_up(self):
        one = {"net": 7, "tax": Decimal("2.13"), "gross": Decimal("9.13"), "discount": 3}
        two = {"net": 20, "tax": Decimal("1.45"), "gross": Decimal("21.45")}
        body = order(
            item(price=one),
            item(price=two),
            currency="USD",
            customer={"id": "c-1", "email": "jane.doe@newstore.com"},
            shipments=[{"price": 20, "tax": 0}],
            gift_wrapping={"price": {"net": 2, "tax": Decimal("0.17"), "gross": Decimal("2.17")}},
        )
        shop = Shop()

        shop.captured(body)

        [entry] = shop.page("c-1")["orders"]
        assert entry["totals"] == {
            "gross": Decimal("30.58"),
            "net": 27,
            "tax": Decimal("3.58"),
            "total": Decimal("52.75"),
            "discount": 3,
            "shipping": 20,
            "gift_wrapping": Decimal("2.17"),
        }

    @pytest.mark.parametrize(
        ("name", "total", "discount"),
        [
            ("capture_minimal", "79.2", "8"),
            # 80 + 40 - 16.5 in discounts + 8.28 in taxes + 10.8 for shipping
            ("injection_discounts", "122.58", "16.5"),
            ("injection_tax_included_store", "64.99", "0"),
            ("injection_web_tax_excluded", "105.6", "0"),
        ],
    )
    def test_of_what_real_clients_send_are_what_was_paid(self, name, total, discount):
        totals = Shop().captured(sample(name))["totals"]

        assert totals["total"] == Decimal(total)
        assert totals["discount"] == Decimal(discount)


class TestBothFormsAndMethods:
    @pytest.mark.parametrize(
        ("method", "expected"),
        [
            ("tax_excluded", {"base": 100, "net": 85, "tax": 19, "gross": 104, "discount": 15}),
            ("tax_included", {"base": 100, "net": 66, "tax": 19, "gross": 85, "discount": 15}),
        ],
    )
    def test_an_injected_price_is_with_or_without_tax_as_the_method_says(self, method, expected):
        price = {
            "item_price": 100,
            "item_tax_lines": lines(10, 9),
            "item_discount_info": taken(5),
            "item_order_discount_info": taken(10),
        }

        answer = Shop().captured(injected(price, price_method=method))

        assert answer["items"][0]["price"] == expected
        assert [d["level"] for d in answer["items"][0]["discounts"]] == ["item", "order"]

    @pytest.mark.parametrize(("method", "base"), [("tax_excluded", 80), ("tax_included", 87)])
    def test_a_read_model_price_gets_the_base_it_leaves_out(self, method, base):
        price = {"net": 72, "tax": 7, "gross": 79, "discount": 8}

        answer = Shop().captured(order(item(price=price), price_method=method))

        assert answer["items"][0]["price"] == price | {"base": base}

    @pytest.mark.parametrize(("word", "method"), [("vat_included", 50), ("vat_excluded", 60)])
    def test_tax_method_is_another_word_for_price_method(self, word, method):
        price = {"item_price": 50, "item_tax_lines": lines(10)}

        answer = Shop().captured(injected(price, tax_method=word))

        assert answer["tax_method"] == word
        assert answer["totals"]["gross"] == method

    @pytest.mark.parametrize(
        "shipping",
        [
            {"shipping_option": {"price": 9, "tax": 1}},
            {"price": 9, "tax": 1},
            {"price": {"net": 9, "tax": 1, "gross": 10}},
        ],
        ids=["option", "number", "object"],
    )
    def test_shipping_may_be_said_in_three_ways(self, shipping):
        answer = Shop().captured(order(shipments=[shipping]))

        assert answer["totals"]["shipping"] == 10
        assert answer["shipments"][0]["price"] == {
            "base": 9,
            "net": 9,
            "tax": 1,
            "gross": 10,
            "discount": 0,
        }

    def test_of_injected_gift_wrappings_only_the_first_items_counts(self):
        body = injected({"item_price": 10}, {"item_price": 10})
        one, two = body["shipments"][0]["items"]
        one["gift_wrapping"] = {"message": "For you", "item_price": 4, "item_tax_lines": lines(1)}
        two["gift_wrapping"] = {"item_price": 400}

        answer = Shop().captured(body)

        assert answer["gift_wrapping"]["message"] == "For you"
        assert answer["gift_wrapping"]["price"] == {"net": 4, "tax": 1, "gross": 5}
        assert answer["totals"]["total"] == 25

    def test_tenths_add_up(self):
        tenth = {"net": Decimal("0.1"), "tax": 0, "gross": Decimal("0.1")}
        fifth = {"net": Decimal("0.2"), "tax": 0, "gross": Decimal("0.2")}

        answer = Shop().captured(order(item(price=tenth), item(price=fifth)))

        assert answer["totals"]["total"] == Decimal("0.3")


class TestAmountsThatCannotBe:
    def refused(self, body):
        shop = Shop()
        before = rows()
        refusal = problem(shop.capture(body))
        assert rows() == before
        assert refusal[:2] == (400, "bad_request")
        return refusal[2]

    def test_yen_have_no_cents_and_the_documented_words_say_so(self):
        price = {"net": 100, "tax": 0, "gross": 100, "discount": Decimal("20.123")}
        thing = item(price=price | {"base": Decimal("120.123")})

        message = self.refused(order(thing, currency="USD"))

        assert message == (
            f"{NOT_ROUNDED}Price '120.123' for item {thing['id']} is not rounded according to "
            "currency standards"
        )

    @pytest.mark.parametrize("currency", ["JPY", "USD"])
    def test_the_documented_words_about_a_discount(self, currency):
        price = {"net": 100, "tax": 0, "gross": 100, "discount": Decimal("20.123"), "base": 200}
        thing = item(price=price)

        message = self.refused(order(thing, currency=currency))

        assert message == (
            f"{NOT_ROUNDED}Total discount '20.123' for item {thing['id']} is not rounded "
            "according to currency standards"
        )

    @pytest.mark.parametrize(
        ("currency", "amount", "is_fine"),
        [
            ("JPY", "100", True),
            ("JPY", "100.0", True),
            ("JPY", "100.5", False),
            ("KWD", "0.125", True),
            ("KWD", "0.1250", True),
            ("KWD", "0.1255", False),
            ("USD", "1.005", False),
            ("CLF", "0.0001", True),
        ],
    )
    def test_the_decimals_fit_the_currency(self, currency, amount, is_fine):
        body = f"""{{"currency": "{currency}", "items": [{{"product_id": "S", "price":
            {{"net": {amount}, "tax": 0, "gross": {amount}}}}}]}}"""

        if is_fine:
            answer = Shop().captured(body)
            assert answer["totals"]["total"] == Decimal(amount)
        else:
            assert self.refused(body).startswith(NOT_ROUNDED)

    @pytest.mark.parametrize(
        "place",
        [
            {"shipments": [{"price": Decimal("1.5")}]},
            {"shipments": [{"price": 1, "tax": Decimal("0.5")}]},
            {
                "gift_wrapping": {
                    "price": {"net": Decimal("1.5"), "tax": 0, "gross": Decimal("1.5")}
                }
            },
            {
                "gift_wrapping": {
                    "price": {"net": 1, "tax": 1, "gross": 2},
                    "tax_lines": lines(Decimal("0.5")),
                }
            },
            {"items": [item(tax_lines=lines(Decimal("0.5")))]},
            {
                "items": [
                    item(
                        discounts=[
                            {
                                "level": "item",
                                "type": "fixed",
                                "value": 1,
                                "price_adjustment": Decimal("0.5"),
                            }
                        ],
                        price={"net": 1, "tax": 0, "gross": 1, "discount": 1},
                    )
                ]
            },
        ],
        ids=["shipping", "its tax", "gift wrapping", "its tax line", "a tax line", "an adjustment"],
    )
    def test_wherever_they_stand(self, place):
        assert self.refused(order(currency="JPY", **place)).startswith(NOT_ROUNDED)

    @pytest.mark.parametrize(
        "price",
        [
            '{"net": 10, "tax": 1, "gross": 12}',
            '{"net": 10, "tax": 1, "gross": 11.01}',
            '{"net": -0.01, "tax": 1, "gross": 0.99}',
            '{"net": 10, "tax": -1, "gross": 9}',
            '{"net": 10, "tax": 1, "gross": 11, "discount": 5, "base": 4}',
            '{"net": 1000000000000, "tax": 0, "gross": 1000000000000}',
            '{"net": 0.30000000000000004, "tax": 0, "gross": 0.30000000000000004}',
            '{"net": 1E+1000000, "tax": 0, "gross": 1E+1000000}',
            '{"net": 1e18, "tax": 0, "gross": 1e18}',
            '{"net": "1e2", "tax": 0, "gross": "1e2"}',
            '{"net": "１２", "tax": 0, "gross": "１２"}',
            '{"net": NaN, "tax": 0, "gross": NaN}',
            '{"net": Infinity, "tax": 0, "gross": Infinity}',
            '{"net": true, "tax": 0, "gross": true}',
            '{"net": null, "tax": 0, "gross": 1}',
            '{"net": 10, "gross": 11}',
            '{"item_price": 10, "item_discount_info": [{"discount_ref": "D", "type": "fixed",'
            ' "original_value": 11, "price_adjustment": 11}]}',
            '{"item_price": 10, "item_discount_info": [{"discount_ref": "D", "type": "percentage",'
            ' "original_value": 150, "price_adjustment": 1}]}',
        ],
    )
    def test_are_refused(self, price):
        self.refused(f'{{"currency": "EUR", "items": [{{"product_id": "S", "price": {price}}}]}}')

    def test_a_tax_included_in_the_price_is_not_more_than_it(self):
        price = {"item_price": 10, "item_tax_lines": lines(11)}

        self.refused(injected(price, price_method="tax_included"))

    def test_a_total_that_no_column_holds(self):
        rich = {"net": 10**12 - 1, "tax": 0, "gross": 10**12 - 1}

        message = self.refused(order(*items(101, price=rich)))

        assert "total is more than" in message

    def test_the_faulty_item_is_named_by_the_id_it_will_have(self):
        shop, bad = Shop(), {"net": Decimal("1.234"), "tax": 0, "gross": Decimal("1.234")}
        body = order(item(), item(price=bad), external_id="A-1")
        del body["id"], body["items"][0]["id"], body["items"][1]["id"]

        _, _, message = problem(shop.capture(body))
        for thing in body["items"]:
            thing["price"] = item()["price"]
        answer = shop.captured(body)

        assert f"for item {answer['items'][1]['id']} is" in message


class TestSpellings:
    @pytest.mark.parametrize("spelling", ["100", "100.0", "100.00", "1e2", "1E2", "10.0e1"])
    def test_of_one_amount_are_that_amount(self, spelling):
        shop = Shop()
        body = f"""{{"external_id": "A-1", "currency": "EUR", "items": [{{"product_id": "S",
            "price": {{"net": {spelling}, "tax": 0, "gross": 100}}}}]}}"""

        answer = shop.captured(body)

        assert answer["totals"]["total"] == 100
        assert stored(answer).total == 100

    def test_twelve_digits_are_kept_to_the_last(self):
        most = Decimal("999999999998.99")
        answer = Shop().captured(
            order(
                item(price={"net": most, "tax": Decimal("0.01"), "gross": most + Decimal("0.01")})
            )
        )

        assert answer["items"][0]["price"]["net"] == most
        assert answer["totals"]["total"] == 999999999999

    def test_minus_nothing_is_nothing(self):
        body = """{"currency": "EUR", "items": [{"product_id": "S",
            "price": {"net": -0, "tax": -0.0, "gross": 0}}]}"""

        response = Shop().capture(body)

        assert response.status_code == 200
        assert b"-0" not in response.content.split(b'"totals"')[1].split(b"}")[0]


@st.composite
def priced_orders(draw):
    """A currency, a method, and for each item the price as said and as it must be read."""
    currency = draw(st.sampled_from(sorted(PLACES)))
    included = draw(st.booleans())
    unit = Decimal(1).scaleb(-PLACES[currency])
    most = int((10**12 - 1) / unit) // 3
    amount = st.integers(0, most).map(lambda n: n * unit) | st.integers(0, 9999).map(
        lambda n: n * unit
    )
    things = []
    for _ in range(draw(st.integers(1, 4))):
        net, tax, discount = draw(amount), draw(amount), draw(amount)
        base = net + discount + (tax if included else 0)
        read_back = {"base": base, "net": net, "tax": tax, "gross": net + tax, "discount": discount}
        if draw(st.booleans()):
            body = {"price": read_back}
        else:
            off = taken(discount) if discount else []
            body = {
                "price": {
                    "item_price": base,
                    "item_tax_lines": lines(tax) if tax else [],
                    "item_discount_info": off,
                }
            }
        things.append((body, read_back))
    return currency, "tax_included" if included else "tax_excluded", things


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=priced_orders(), shipping=st.integers(0, 10**9))
def test_every_amount_we_accept_is_read_back_exactly(drawn, shipping):
    currency, method, things = drawn
    shop = Shop()
    body = order(
        *[item(**thing) for thing, _ in things],
        currency=currency,
        price_method=method,
        shipments=[{"price": shipping}],
    )

    answer = shop.captured(body)

    detail = shop.order(body["id"])
    assert detail.items() <= answer.items()
    assert [i["price"] for i in detail["items"]] == [expected for _, expected in things]
    gross = sum(expected["gross"] for _, expected in things)
    assert detail["totals"]["total"] == gross + shipping
    assert detail["totals"]["discount"] == sum(expected["discount"] for _, expected in things)
