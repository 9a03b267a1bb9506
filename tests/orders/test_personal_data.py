"""Personal data and its tokens: there and back, for one tenant, and no word of it in a log."""

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from configuration.models import PersonalToken
from configuration.services import pseudonyms
from orders.api.personal_data import DetokenizedData, TokenizedData
from orders.services.reading import personal_data
from tests.factories import ClientFactory, bearer
from tests.orders.racing import alone, at_once
from tests.orders.shop import Shop, documented, order, problem, rows
from tests.webhooks.conftest import fake_oms
from tests.webhooks.federated import FederatedShop

__all__ = ["fake_oms"]

pytestmark = pytest.mark.django_db

SCOPE = "order-management:pii:read"
NOT_FOUND = "token_not_found_error"
JANE = {
    "customer.id": "C-1815",
    "customer.name": "Jane Doe",
    "customer.email": "Jane.Doe@example.com",
    "shipping_address.first_name": "Jane",
    "shipping_address.second_name": "Q",
    "shipping_address.last_name": "Doe",
    "shipping_address.phone": "202-555-0140",
    "shipping_address.address_line_1": "601 South Street",
    "shipping_address.address_line_2": "c/o Smith",
    "billing_address.first_name": "John",
    "billing_address.last_name": "Doe",
}


@pytest.fixture
def shop() -> Shop:
    return Shop(uses_pii_tokens=True)


def tokenize(shop: Shop, values: Any, **kwargs: Any) -> Any:
    return shop.ask("POST", "/order-management/pii/tokenize", {"data": values}, **kwargs)


def detokenize(shop: Shop, tokens: Any, **kwargs: Any) -> Any:
    return shop.ask("POST", "/order-management/pii/detokenize", {"data": tokens}, **kwargs)


def tokens_of(shop: Shop, values: dict[str, str]) -> dict[str, str]:
    answer = documented(TokenizedData, tokenize(shop, values))
    assert answer["errors"] == {}
    assert answer["data"].keys() == values.keys()
    return answer["data"]


def clear(shop: Shop, tokens: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    answer = documented(DetokenizedData, detokenize(shop, tokens))
    assert answer["data"].keys() | answer["errors"].keys() == tokens.keys()
    return answer["data"], answer["errors"]


def parts(values: dict[str, str]) -> dict[str, dict[str, str]]:
    """The values as an order has them."""
    nested: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        part, _, member = name.partition(".")
        nested.setdefault(part, {})[member] = value
    return nested


def bought(shop: Shop, values: dict[str, str] = JANE, **members: Any) -> dict[str, str]:
    """Capture an order of these values; the tokens that it shows, by the same names."""
    body = parts(values)
    for address in ("shipping_address", "billing_address"):
        if address in body:
            body[address]["country_code"] = "US"
    answer = shop.captured(order(**body, **members))
    return {
        name: answer[part][member] for name in values for part, _, member in [name.partition(".")]
    }


class TestThereAndBack:
    def test_tokens_are_those_of_the_customers_orders(self, shop: Shop) -> None:
        tokens = tokens_of(shop, JANE)

        assert tokens == bought(shop)
        assert {len(token) for token in tokens.values()} == {pseudonyms.TOKEN_LENGTH}
        assert len({token[:32] for token in tokens.values()}) == 1

    def test_what_was_tokenized_comes_back(self, shop: Shop) -> None:
        assert clear(shop, tokens_of(shop, JANE)) == (JANE, {})

    def test_tokens_of_orders_come_back_though_nobody_tokenized_them(self, shop: Shop) -> None:
        tokens = bought(shop)

        assert not PersonalToken.objects.exists()
        assert clear(shop, tokens) == (JANE, {})

    def test_tokens_of_an_order_without_a_customer_come_back(self, shop: Shop) -> None:
        values = {name: value for name, value in JANE.items() if "address" in name}

        assert clear(shop, bought(shop, values)) == (values, {})

    def test_tokens_of_older_orders_come_back_too(self, shop: Shop) -> None:
        former = bought(
            shop, JANE | {"customer.name": "Jane Roe"}, placed_at="2020-01-01T00:00:00Z"
        )
        bought(shop)

        assert clear(shop, former)[0]["customer.name"] == "Jane Roe"

    def test_repeating_it_changes_nothing(self, shop: Shop) -> None:
        first = tokens_of(shop, JANE)
        before = list(PersonalToken.objects.order_by("pk").values())

        assert tokens_of(shop, JANE) == first
        assert list(PersonalToken.objects.order_by("pk").values()) == before
        assert len(before) == len(set(first.values())) == len(JANE) - 1  # one Doe of two

    def test_an_email_address_names_a_customer_without_an_id(self, shop: Shop) -> None:
        values = {name: value for name, value in JANE.items() if name != "customer.id"}
        answer = shop.captured(order(customer={"email": JANE["customer.email"]}))

        tokens = tokens_of(shop, values)

        assert tokens["customer.email"] == answer["customer"]["email"]
        assert clear(shop, tokens) == (values, {})

    @pytest.mark.parametrize(
        ("members", "meaning"),
        [
            ({"customer": {"email": "jane@example.com"}}, "jane@example.com"),
            ({"customer": {"email": "Jane@Example.com"}}, "Jane@Example.com"),
            ({"external_customer_id": "ERP-7"}, "ERP-7"),
            ({"customer": {"id": "jane@example.com"}}, "jane@example.com"),
            ({"customer": {"id": "C-1", "email": "jane@example.com"}}, "C-1"),
        ],
    )
    def test_the_token_of_an_id_stands_for_what_the_caller_said(
        self, shop: Shop, members: dict[str, Any], meaning: str
    ) -> None:
        answer = shop.captured(order(**members))

        assert clear(shop, {"t": answer["customer"]["id"]}) == ({"t": meaning}, {})

    def test_values_that_name_nobody_are_a_set_of_their_own(self, shop: Shop) -> None:
        one, other = {"first_name": "Jane"}, {"first_name": "Jane", "city": "Boston"}

        tokens = [tokens_of(shop, values)["first_name"] for values in (one, other, one)]

        assert tokens[0] == tokens[2] != tokens[1]
        assert clear(shop, {"a": tokens[0], "b": tokens[1]}) == ({"a": "Jane", "b": "Jane"}, {})

    def test_empty_values_and_tokens_stay_as_they_are(self, shop: Shop) -> None:
        existing = tokens_of(shop, {"id": "C-1815"})["id"]

        tokens = tokens_of(shop, {"id": existing, "name": "Jane Doe", "phone": ""})

        assert (tokens["id"], tokens["phone"]) == (existing, "")
        assert tokens["name"] == bought(shop)["customer.name"]
        assert clear(shop, tokens) == ({"id": "C-1815", "name": "Jane Doe"}, {"phone": NOT_FOUND})

    def test_500_values_are_taken(self, shop: Shop) -> None:
        values = {f"{n}.name": f"Jane {n}" for n in range(499)} | {"id": "C-1815"}

        assert clear(shop, tokens_of(shop, values)) == (values, {})

    @pytest.mark.parametrize("text", ["é\u0301 \u5f20\n", "x" * 1024, "'; DROP TABLE x; --", "\\"])
    def test_any_text_comes_back_as_it_was(self, shop: Shop, text: str) -> None:
        assert clear(shop, tokens_of(shop, {"id": "C-1", "name": text}))[0]["name"] == text


class TestTheHistory:
    @pytest.mark.parametrize("name", ["customer.id", "customer.email", "shipping_address.phone"])
    def test_is_found_by_any_token_of_the_customer(self, shop: Shop, name: str) -> None:
        bought(shop)

        page = shop.page(tokens_of(shop, JANE)[name])

        assert page["pagination_info"]["total"] == 1

    def test_is_found_by_the_token_of_an_email_address(self, shop: Shop) -> None:
        mine = shop.captured(order(customer={"email": "jane@example.com"}))

        page = shop.page(tokens_of(shop, {"email": "JANE@example.com"})["email"])

        assert [one["id"] for one in page["orders"]] == [mine["id"]]


@pytest.mark.django_db(transaction=True)  # asking an OMS closes the connection
@pytest.mark.parametrize("customer_id", ["ada@example.com", "C-1"])
def test_an_external_oms_can_turn_back_what_it_is_asked_by(fake_oms: Any, customer_id: str) -> None:
    oms = fake_oms("good")
    shop = FederatedShop(oms, uses_pii_tokens=True)

    shop.page(customer_id)

    [question] = oms.asked()
    token = question.removeprefix("/orders?consumer_token=")
    assert clear(shop, {"t": token}) == ({"t": customer_id}, {})


class TestWhatIsNotKnown:
    def test_is_named_beside_what_is(self, shop: Shop) -> None:
        tokens = tokens_of(shop, {"id": "C-1"})
        unknown = {
            "never made": tokens["id"][:-1] + ("0" if tokens["id"][-1] != "0" else "1"),
            "no token": "jane@example.com",
            "empty": "",
            "half": tokens["id"][:32],
            "no alphabet": "NS-EU-" + "u" * 53,
            "lower case": tokens["id"].lower(),
            "zero": "NS-EU-" + "0" * 26 + "-" + "0" * 26,
        }

        assert clear(shop, tokens | unknown) == ({"id": "C-1"}, dict.fromkeys(unknown, NOT_FOUND))

    def test_is_another_tenants_as_if_nobody_had_it(self, shop: Shop) -> None:
        other = Shop(uses_pii_tokens=True)
        theirs = bought(other) | {f"made {n}": t for n, t in tokens_of(other, JANE).items()}
        bought(shop)
        nobody = {name: token[:-6] + "000000" for name, token in theirs.items()}

        answers = [clear(shop, tokens) for tokens in (theirs, nobody)]

        assert answers == [({}, dict.fromkeys(theirs, NOT_FOUND))] * 2

    def test_is_different_for_each_tenant(self, shop: Shop) -> None:
        theirs = tokens_of(Shop(uses_pii_tokens=True), JANE)

        assert not set(theirs.values()) & set(tokens_of(shop, JANE).values())

    def test_is_what_cannot_be_opened_any_longer(self, shop: Shop, settings: Any) -> None:
        tokens = tokens_of(shop, {"first_name": "Jane"})
        PersonalToken.objects.update(value="v1.lost.AAAA")

        assert clear(shop, tokens) == ({}, {"first_name": NOT_FOUND})


class TestRefusals:
    @pytest.mark.parametrize("call", [tokenize, detokenize])
    def test_of_a_tenant_that_uses_no_tokens(self, call: Any) -> None:
        shop = Shop()
        before = rows()

        assert problem(call(shop, {"id": "C-1"})) == (
            412,
            "pii_tokens_not_in_use",
            "This tenant does not use tokens for personal data.",
        )
        assert rows() == before

    @pytest.mark.parametrize("call", [tokenize, detokenize])
    @pytest.mark.parametrize(
        "values",
        [
            *(None, {}, [], "x", 5, ["C-1"]),
            *({"id": value} for value in (None, 5, True, [], {}, "x" * 1025)),
            *({"": "x"}, {"x" * 129: "x"}),
            {f"{n}": "x" for n in range(501)},
        ],
        ids=lambda values: str(values)[:40],
    )
    def test_of_what_makes_no_sense(self, shop: Shop, call: Any, values: Any) -> None:
        before = rows()

        refused = problem(call(shop, values))

        assert refused[:2] == (400, "bad_request")
        assert refused[2].startswith(f"Validation of {call.__name__} request failed with error: ")
        assert rows() == before

    @pytest.mark.parametrize(
        "values",
        [
            {"a.id": "C-1", "b.id": "C-2"},
            {"a.email": "jane@example.com", "b.email": "john@example.com"},
        ],
    )
    def test_of_two_customers_in_one_call(self, shop: Shop, values: dict[str, str]) -> None:
        before = rows()

        assert problem(tokenize(shop, values | {"name": "Jane"})) == (
            400,
            "bad_request",
            "The values name two customers: send those of one customer in a call.",
        )
        assert rows() == before

    def test_of_nobody_who_says_one_customer_twice(self, shop: Shop) -> None:
        values = {"a.email": "jane@example.com", "b.email": "Jane@example.com", "a.id": "C-1"}

        assert clear(shop, tokens_of(shop, values)) == (values, {})

    @pytest.mark.parametrize("call", [tokenize, detokenize])
    def test_of_a_token_without_the_scope(self, shop: Shop, call: Any) -> None:
        client = ClientFactory(tenant=shop.tenant)
        before = rows()

        everything_else = " ".join(sorted(set(client.scopes) - {SCOPE}))
        others = bearer(client, scope=everything_else)
        assert problem(call(shop, {"id": "C-1"}, headers=others))[:2] == (403, "insufficient_scope")
        assert rows() == before
        alone = bearer(client, scope=SCOPE)
        assert call(shop, {"id": "C-1"}, headers=alone).status_code == 200


class TestWhatIsKept:
    def test_is_sealed_for_its_tenant_and_token(self, shop: Shop) -> None:
        tokens = tokens_of(shop, JANE)
        other = Shop(uses_pii_tokens=True)

        stored = str(list(PersonalToken.objects.values()))
        assert not [value for value in JANE.values() if len(value) > 3 and value in stored]
        PersonalToken.objects.update(tenant=other.tenant)  # as a row that was copied
        assert clear(other, tokens) == ({}, dict.fromkeys(tokens, NOT_FOUND))

    @pytest.mark.parametrize("call", ["tokenize", "detokenize"])
    def test_every_call_is_logged_without_a_value(self, shop: Shop, capfd: Any, call: str) -> None:
        tokens = tokens_of(shop, JANE)
        capfd.readouterr()

        with capture_logs() as lines:
            if call == "tokenize":
                tokens_of(shop, JANE)
            else:
                clear(shop, tokens | {"unknown": "x"})

        [line] = [line for line in lines if line["event"] == "personal data"]
        assert {name: line[name] for name in line.keys() - {"event", "log_level"}} == {
            "direction": call,
            "tenant": shop.tenant.slug,
            "client": shop.client.actor,
            "count": len(JANE) + (call == "detokenize"),
            "found": len(JANE),
        }
        logged = str(lines) + "".join(capfd.readouterr())
        secrets = [*JANE.values(), *JANE, *tokens.values()]
        assert not [secret for secret in secrets if len(secret) > 3 and secret in logged]


class TestQueries:
    def number(self, act: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            act()
        return len(queries)

    def test_are_as_many_for_500_values_as_for_one(self, shop: Shop) -> None:
        tokenize(shop, {"id": "C-0"})  # what is known for a second is
        few, many = ({f"{n}.name": f"N {n}" for n in range(number)} for number in (1, 500))

        calls = [partial(tokenize, shop, values) for values in (few, many)]
        assert len({self.number(call) for call in calls}) == 1
        new_tokens = [tokens_of(shop, values) for values in (few, many)]
        calls = [partial(detokenize, shop, tokens) for tokens in new_tokens]
        assert len({self.number(call) for call in calls}) == 1

    def test_are_as_many_for_many_customers_as_for_one(self, shop: Shop) -> None:
        tokens = {}
        for n in range(5):
            answer = shop.captured(order(customer={"id": f"C-{n}"}))
            tokens[f"t{n}"] = answer["customer"]["id"]
        one = {"t0": tokens["t0"]}
        detokenize(shop, one)

        calls = [partial(detokenize, shop, some) for some in (one, tokens)]

        assert len({self.number(call) for call in calls}) == 1
        assert clear(shop, tokens)[0] == {f"t{n}": f"C-{n}" for n in range(5)}

    def test_look_through_so_many_orders_and_no_more(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(personal_data, "MOST_ORDERS", 2)
        monkeypatch.setattr(personal_data, "FEWEST_ORDERS", 1)
        names = [JANE | {"customer.name": f"Jane {n}"} for n in range(3)]
        tokens = {
            f"{n}": bought(shop, name, placed_at=f"2024-01-0{n + 1}T00:00:00Z")["customer.name"]
            for n, name in enumerate(names)
        }

        assert clear(shop, tokens) == ({"1": "Jane 1", "2": "Jane 2"}, {"0": NOT_FOUND})


@pytest.mark.django_db(transaction=True)
def test_those_who_tokenize_the_same_at_once_get_the_same() -> None:
    with alone():
        shop = Shop(uses_pii_tokens=True)
        values = [JANE, dict(reversed(JANE.items()))] * 8
        acts = [
            partial(personal_data.tokenize, tenant=shop.tenant, values=some, actor="test")
            for some in values
        ]

        outcomes = at_once(acts)

        assert outcomes == [outcomes[0]] * len(acts)
        assert PersonalToken.objects.count() == len(JANE) - 1  # one Doe of two
        assert clear(shop, outcomes[0]) == (JANE, {})
