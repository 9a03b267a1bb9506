"""Every id that capture accepts reaches its order, and no other, on every route with an id."""

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.test import Client as Browser

from ordermgmt import strict_json
from ordermgmt.values import names
from orders.api.addresses import order_routes
from orders.models import Hold, Item, Order, TimelineEntry
from tests.api.routes import api_routes
from tests.factories import bearer
from tests.orders.shop import Shop, item, order, read

pytestmark = pytest.mark.django_db

PREFIX, SIZE = "N-", 5
# What ids are made of here: ordinary parts, what addresses give a meaning, words of our routes,
# what looks alike, and what nobody sees.
ORDINARY = ["A", "b", "W-7", "1001", "ORDER", "é", "中", "ß", "😀", "İ", "Å"]
SPECIAL = ["#", "=", "%", "%2F", "%252F", "?", "&", ";", "+", " ", ".", "..", "-", "_", "~", "\\"]
SPECIAL += [":", "@", ",", "'", '"', "<", "|", "*", "(", "\u00a0", "*", "id_type=internal", "$"]
REFUSED = ["/", "//", "\u200b", "\u00ad", "\u2800", "\ufe0f", "\n", "\u3164", "\u202e"]
# Routes that know an order by its UUID only.
BY_UUID = ("v0/d/orders/", "v0/orders/<path:uuid>/serial_numbers")
BROWSER = Browser(raise_request_exception=False)  # one, for each loads the middleware anew
NEVER = "00000000-0000-4000-8000-000000000001"


def words() -> list[str]:
    """Return what stands behind an order id in the addresses of the URL table."""
    tails = [route.split(">", 1)[1] for route in order_routes()]
    return sorted({word for tail in tails for word in tail.split("/") if word})


class Ids:
    """Ids by chance, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # no secret
        self._words = [w.replace("<str:hold>", NEVER) for w in words()]
        self.known: list[str] = []

    def next(self) -> str:
        chance = self._chance
        if self.known and chance.random() < 0.35:
            return self._kin(chance.choice(self.known))[:64]
        parts = [self._part() for _ in range(chance.randint(1, 4))]
        return chance.choice(["", "", "/", "-"]).join(parts)[:64]

    def _part(self) -> str:
        chance = self._chance
        kind = chance.choices(
            [ORDINARY, SPECIAL, self._words, REFUSED, "number", "uuid"], [10, 6, 3, 1, 1, 1]
        )[0]
        if kind == "number":
            return f"{PREFIX}{chance.randint(1, 4000):0{SIZE}}"
        if kind == "uuid":
            return chance.choice([str(uuid4()), str(uuid4()).upper(), NEVER])
        return chance.choice(kind)

    def _kin(self, known: str) -> str:
        """Return an id that is nearly a known one, or that the known one is a part of."""
        chance = self._chance
        return chance.choice(
            [
                f"{known}/",
                f"/{known}",
                f"{known}/{chance.choice(self._words)}",
                f"{known}/items/{NEVER}",
                f"{known}/holds/{NEVER}/release",
                f"{known}/2",
                f"{known}%2F",
                f"{known}//2",
                quote(known, safe=""),
                known.swapcase(),
                names.spellings(known)[-1],
                known.split("/")[0],
                known.replace("/", "//"),
            ]
        )


class Case:
    """An order that was captured under an id, and everything that can be done with it."""

    def __init__(self, shop: Shop, body: dict[str, Any], answer: dict[str, Any]) -> None:
        self.shop = shop
        self.order = Order.objects.get(uuid=answer["origin_id"])
        self.name = quote(body["external_id"], safe="")
        self.item, self.ordered_ahead = (thing["id"] for thing in body["items"])
        self.tried: set[tuple[str, str]] = set()

    def ask(self, method: str, route: str, body: Any = None, **parameters: str) -> Any:
        self.tried.add((method, route))
        start, end = route.index("<"), route.index(">") + 1
        path = "/" + route[:start] + self.name + route[end:]
        for name, value in parameters.items():
            path = path.replace(f"<{name}>", value)
        query = {"id_type": "external"} if route.startswith("v0/orders/") else {}
        query = {} if route.endswith("/prices") else query
        return BROWSER.generic(
            method,
            path,
            b"" if body is None else strict_json.dumps(body),
            content_type="application/json",
            headers=self.shop.headers | self.shop.tenant_headers,
            query_params=query,
            RAW_URI=path,
        )

    def check_all(self) -> None:
        """Call every route, and check that it was about this order."""
        ours, v0 = "order-management/orders/<path:id>", "v0/orders/<path:id>"
        fresh = Order.objects.filter(pk=self.order.pk)

        assert read(self.ask("GET", v0))["origin_id"] == str(self.order.uuid)
        assert read(self.ask("GET", f"{v0}/cancel"))["canceled"] is False
        wanted = {"items": [{"type": "product", "id": self.item}]}
        assert self.ask("POST", f"{v0}/prices", wanted).status_code == 200
        due = read(self.ask("POST", f"{v0}/_extend_grace_period"))["due_at"]
        grace = Hold.objects.get(order=self.order, kind="grace")
        assert due[:19] == f"{grace.due_at:%Y-%m-%dT%H:%M:%S}"
        assert self.ask("PATCH", ours, {"status": "on_hold"}).status_code == 200
        support = Hold.objects.get(order=self.order, kind="support")
        holds = read(self.ask("GET", f"{ours}/holds"))["holds"]
        assert {hold["id"] for hold in holds} == {str(grace.uuid), str(support.uuid)}
        placed = read(self.ask("POST", f"{ours}/holds", {"kind": "support", "reason": "again"}))
        assert placed["id"] == str(support.uuid)
        ended = self.ask(
            "POST",
            f"{ours}/holds/<str:hold>/release",
            {"reason": "enough"},
            **{"str:hold": str(support.uuid)},
        )
        assert read(ended)["id"] == str(support.uuid)
        report = {"action": "packing", "items": [{"id": self.item}]}
        assert self.ask("POST", f"{ours}/fulfillment", report).status_code in (200, 409)
        assert (
            self.ask(
                "POST",
                "v0/orders/<path:order_uuid>/items/<str:item_uuid>/cancel",
                **{"str:item_uuid": self.ordered_ahead},
            ).status_code
            == 200
        )
        entries = read(self.ask("GET", f"{ours}/timeline"))["entries"]
        stored = TimelineEntry.objects.filter(order=self.order).order_by("version")
        assert [e["at"][:26] for e in entries] == [f"{e.at:%Y-%m-%dT%H:%M:%S.%f}" for e in stored]
        assert self.ask("POST", f"{v0}/cancel", {"reason": "over"}).status_code == 200
        assert fresh.get().status == "closed"
        assert read(self.ask("GET", f"{v0}/cancel"))["canceled"] is True
        for method, route in methods():
            if route.startswith(BY_UUID):
                refused = self.ask(method, route, {"items": [{"id": self.item}]})
                assert refused.status_code in (400, 404), (method, route)


def methods() -> Iterator[tuple[str, str]]:
    """Return every method of every route with an order id in its path."""
    with_id = set(order_routes())
    return ((r.method, r.pattern) for r in api_routes() if r.pattern in with_id)


def versions(but: Order) -> Any:
    return Order.objects.exclude(pk=but.pk).aggregate(Sum("version"))


def try_ids(number: int, seed: int) -> None:
    """Capture orders under `number` accepted ids, and call every route for each."""
    shop, ids = Shop(sequence={"prefix": PREFIX, "size": SIZE}), Ids(seed)
    accepted = refused = accepted_count = 0
    while accepted < number:
        if accepted % 20 == 0:
            shop.headers = bearer(shop.client)  # a token is good for five minutes
        name = ids.next()
        ahead = item(is_preorder=True)
        body = order(item(), ahead, external_id=name, grace_period=600) | {"id": None}
        before = Order.objects.count()
        answer = shop.capture(body)
        if answer.status_code != 200:
            assert answer.status_code in (400, 409), answer.content
            assert Order.objects.count() == before
            refused, accepted_count = refused + (answer.status_code == 400), accepted_count + 1
            continue
        accepted += 1
        ids.known.append(name)
        case = Case(shop, body, read(answer))
        others = versions(case.order)
        case.check_all()
        assert versions(case.order) == others, name
        assert case.tried == set(methods())
    assert refused > number / 20
    assert accepted_count > refused
    assert not collisions()


def collisions() -> set[str]:
    """Return the names that several orders have."""
    results: dict[str, set[int]] = {}
    for pk, *find_by_reference in Order.objects.values_list("pk", "uuid", "number", "external_id"):
        for name in find_by_reference:
            results.setdefault(names.normal(str(name)), set()).add(pk)
    return {name for name, keys in results.items() if len(keys) > 1}


def test_fifty_ids_reach_their_order_on_every_route() -> None:
    try_ids(50, seed=1)
    assert Item.objects.filter(status="cancelled").count() == 100


@pytest.mark.slow
def test_two_thousand_ids_reach_their_order_on_every_route() -> None:
    try_ids(2_000, seed=2)
