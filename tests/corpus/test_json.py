"""Robustness table J: invalid and unusual JSON at every route that takes a body."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from configuration.keys import KEYS
from ordermgmt import strict_json
from orders.models import Item, Order
from tests.api.routes import api_routes
from tests.corpus.target import (
    Target,
    assert_akinon_refused,
    assert_oauth_refused,
    assert_refused,
    order,
    spoiled,
    state,
)
from tests.orders.shop import CAPTURE, item, read
from tests.orders.shop import order as plain_order

pytestmark = pytest.mark.django_db
AKINON = "/api/v1/capture-order/"
NOTES = "/v0/d/orders/{order_uuid}/notes"
ITEM_NOTES = "/v0/d/orders/{order_uuid}/items/{item_uuid}/notes"
OPENID = "/auth/realms/{tenant}/protocol/openid-connect"


@dataclass(frozen=True)
class Endpoint:
    """A route that takes a body, with a valid body."""

    path: str
    body: Callable[[Target], dict[str, Any]]
    largest: int = 10_000_000
    refuses: Callable[..., None] = assert_refused
    method: str = "POST"
    query: str = ""

    @property
    def names_an_order(self) -> bool:
        return self.path == AKINON or any(
            word in self.path for word in ("{id}", "{uuid}", "{order_uuid}")
        )

    def at(self, target: Target) -> str:
        """Return the path of the route, with a new order where it names one."""
        names = {"tenant": target.tenant.slug}
        if self.names_an_order:
            waits = {"grace_period": 60} if "{hold}" in self.path else {}
            uuid = target.captured(plain_order(**waits))["origin_id"]
            names |= names_of(uuid)
        return self.path.format(**names) + self.query


def names_of(uuid: str) -> dict[str, str]:
    """Return the path parameters of an order, with a new note."""
    order = Order.objects.get(uuid=uuid)
    hold, only = order.holds.first(), order.items.first()
    note = order.notes.create(tenant=order.tenant, item=only, text="x", source="u-1")
    order_uuids = dict.fromkeys(("id", "uuid", "order_uuid"), uuid)
    return order_uuids | {
        "item_uuid": str(only.uuid) if only else "",
        "hold": str(hold.uuid) if hold else "",
        "note": str(note.uuid),
    }


def _oauth(**more: str) -> Callable[[Target], dict[str, Any]]:
    return lambda target: (
        {
            "client_id": target.credentials.client_id,
            "client_secret": target.secret,
        }
        | more
    )


def _password(target: Target) -> dict[str, Any]:
    client = target.credentials
    return {"grant_type": "password", "username": client.client_id, "password": target.secret}


def _login(target: Target) -> dict[str, Any]:
    return {"username": target.credentials.client_id, "password": target.secret}


def _refresh(target: Target) -> dict[str, Any]:
    return {"grant_type": "refresh_token", "refresh_token": target.refresh_token}


def _body(**members: Any) -> Callable[[Target], dict[str, Any]]:
    return lambda _: members


def _of_item(action: str = "", **members: Any) -> Callable[[Target], dict[str, Any]]:
    """Return a function that makes a body about the item captured last."""
    common = {"action": action} if action else {}
    return lambda _: common | {"items": [{"id": str(Item.objects.latest("id").uuid)} | members]}


_PERSONAL = _body(data={"customer.id": "C-1", "customer.email": "ada@example.com"})

ENDPOINTS = {
    "capture": Endpoint(CAPTURE, lambda _: order()),
    "status": Endpoint(f"{CAPTURE}/{{id}}", _body(status="on_hold"), method="PATCH"),
    "hold": Endpoint(f"{CAPTURE}/{{id}}/holds", _body(kind="support", reason="x")),
    "release": Endpoint(f"{CAPTURE}/{{id}}/holds/{{hold}}/release", _body(reason="x")),
    "report": Endpoint(f"{CAPTURE}/{{id}}/fulfillment", _of_item(action="packing")),
    "cancel": Endpoint("/v0/orders/{id}/cancel", _body(reason="x"), query="?id_type=internal"),
    "prices": Endpoint("/v0/orders/{id}/prices", _of_item(type="product")),
    "serials": Endpoint(
        "/v0/orders/{uuid}/serial_numbers", _of_item(serial_number="x"), method="PATCH"
    ),
    **{
        name: Endpoint(f"/v0/config/sales_order/{name}", lambda _, key=key: {"value": key.example})
        for name, key in KEYS.items()
        if name != "sales_order_generator_sequence"  # its value is set already
    },
    "sales_order_generator_sequence": Endpoint(
        "/v0/config/sales_order/sales_order_generator_sequence",
        lambda _: {"value": {"prefix": "NS", "size": 8}},
    ),
    "token": Endpoint(
        f"{OPENID}/token", _oauth(grant_type="client_credentials"), 16_384, assert_oauth_refused
    ),
    "revoke": Endpoint(f"{OPENID}/revoke", _oauth(token="none"), 16_384, assert_oauth_refused),
    **{
        f"{method} {path}": Endpoint(path, _body(text="x", source="u-1", tags=[]), method=method)
        for path in (NOTES, ITEM_NOTES)
        for method, path in (("POST", path), ("PATCH", f"{path}/{{note}}"))
    },
    "tokenize": Endpoint("/order-management/pii/tokenize", _PERSONAL),
    "detokenize": Endpoint("/order-management/pii/detokenize", _PERSONAL),
    "akinon": Endpoint(
        AKINON,
        lambda target: {"order": Order.objects.filter(tenant=target.tenant).latest("id").number},
        refuses=assert_akinon_refused,
    ),
    "login": Endpoint("/api/v1/auth/login/", _login, 16_384, assert_akinon_refused),
    "legacy": Endpoint("/v0/token", _password, 16_384),
    "refresh": Endpoint("/v0/refresh_token", _refresh, 16_384),
}


def member(raw: str | bytes) -> Callable[[bytes], bytes]:
    """Put the bad value into an unknown member before all others."""
    text = raw.encode() if isinstance(raw, str) else raw
    return lambda valid: b'{"zzz": ' + text + b", " + valid[1:]


def instead(raw: bytes) -> Callable[[bytes], bytes]:
    return lambda valid: raw


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "J1-empty": instead(b""),
    "J1-spaces": instead(b" \n\t "),
    "J1-null": instead(b"null"),
    "J1-array": instead(b"[]"),
    "J1-string": instead(b'"x"'),
    "J1-number": instead(b"1"),
    "J1-true": instead(b"true"),
    "J2-truncated": lambda valid: valid[:-1],
    "J2-trailing-comma": lambda valid: valid[:-1] + b",}",
    "J2-comment": lambda valid: b"/* */" + valid,
    "J2-line-comment": lambda valid: b"// x\n" + valid,
    "J2-single-quotes": lambda valid: valid.replace(b'"', b"'"),
    "J2-two-documents": lambda valid: valid + valid,
    "J2-garbage": lambda valid: valid + b"x",
    "J2-bom": lambda valid: b"\xef\xbb\xbf" + valid,
    "J3-nan": member("NaN"),
    "J3-infinity": member("Infinity"),
    "J3-minus-infinity": member("-Infinity"),
    "J6-key-twice": lambda valid: b'{"zzz": 1, "zzz": 2, ' + valid[1:],
    "J6-key-twice-inside": member('{"a": 1, "a": 2}'),
    "J7-key-twice-unescaped": member('{"a": 1, "\\u0061": 2}'),
    "J8-nul-in-value": member('"a\\u0000b"'),
    "J8-nul-in-key": member('{"a\\u0000": 1}'),
    "J8-nul-deep": member('[[{"a": ["\\u0000"]}]]'),
    "J9-lone-surrogate": member('"\\ud800"'),
    "J9-lone-surrogate-in-key": member('{"\\udfff": 1}'),
    "J9-pair-reversed": member('"\\udc00\\ud800"'),
    "J9-lone-surrogate-deep": member('[{"a": ["x\\ud83d"]}]'),
    "J10-ff": member(b'"\xff"'),
    "J10-overlong": member(b'"\xc0\xaf"'),
    "J10-encoded-surrogate": member(b'"\xed\xa0\x80"'),
    "J10-cut-sequence": member(b'"\xe2\x82"'),
    "J10-utf-16": lambda valid: valid.decode().encode("utf-16"),
    "J11-depth-33": member("[" * 32 + "]" * 32),
    "J11-depth-500": member("[" * 500 + "]" * 500),
    "J11-depth-1000": member("[" * 1_000 + "]" * 1_000),
    "J11-depth-5000": member("[" * 5_000 + "]" * 5_000),
    "J11-100000-unclosed": instead(b"[" * 100_000),
    "J11-objects-unclosed": instead(b'{"a":' * 5_000),
    "J13-100000-keys": member("{" + ",".join(f'"{n}":0' for n in range(100_000)) + "}"),
    "J13-100000-elements": member("[" + "0," * 99_999 + "0]"),
    "J13-long-string": member(f'"{"x" * 1_000_000}"'),
    "J13-long-key": member(f'{{"{"x" * 1_000_000}": 1}}'),
    "J20-override-in-key": member('{"\\u202e": 1}'),
    # From the JSON parsing test suite.
    **{
        f"J23-{name}": member(raw)
        for name, raw in {
            "comma-in-array": "[1,]",
            "double-comma": "[1,,2]",
            "no-comma": "[1 2]",
            "no-value": '{"a":}',
            "no-colon": '{"a" "b"}',
            "unquoted-key": "{a: 1}",
            "number-key": "{1: 1}",
            "leading-zero": "01",
            "minus-leading-zero": "-01",
            "plus": "+1",
            "bare-fraction": ".5",
            "bare-point": "1.",
            "bare-exponent": "1e",
            "hexadecimal": "0x1",
            "two-signs": "--1",
            "space-in-number": "1 000",
            "fullwidth-digit": "１",
            "capital-true": "True",
            "half-null": "nul",
            "bad-escape": '"\\a"',
            "bad-unicode-escape": '"\\u00G0"',
            "raw-newline": '"a\nb"',
            "raw-tab": '"a\tb"',
            "raw-nul": '"a\x00b"',
            "open-string": '"a',
            "form-feed-space": "\f1",
            "no-break-space": "\u00a01",
            "wrong-bracket": "[1}",
            "semicolon": "[1;2]",
        }.items()
    },
}
# Refused in members that are read, ignored in others.
UNREAD = {
    "J4-overflow": "1e400",
    "J4-underflow": "-1e400",
    "J5-5000-digits": "9" * 5_000,
    "J5-400-digits": "-" + "9" * 400,
    "J5-20-digits": "9" * 20,
    "J5-exponent-in-capitals": "1E400",
    "J5-tiny": "0.1e-400",
    "J20-bell": '"\\u0007"',
    "J20-escape": '"\\u001b[31m"',
    "J20-backspace": '"\\b"',
}
# Legal but unusual JSON.
HARMLESS = {
    "unknown": '"x"',
    "minus-zero": "-0",
    "escaped-slash": '"\\/"',
    "emoji": '"\\ud83d\\ude00"',
    "depth-32": "[" * 31 + "]" * 31,
    "prototype": '{"__proto__": {"x": 1}, "constructor": 1, "__class__": 1, "$ref": "#/"}',
    "orm-words": '{"items__tenant": 1, "x\\") --": 1, "id__in": [1]}',
}


# Only for tenants that use tokens.
PERSONAL_DATA = ("tokenize", "detokenize")
# These routes take no body, so it is not read.
BODILESS = {
    "/v0/orders/{id}/_extend_grace_period",
    "/v0/orders/{order_uuid}/items/{item_uuid}/cancel",
}


def test_every_address_that_takes_a_body_is_attacked() -> None:
    attacked = {(e.method, e.path.removesuffix("/")) for e in ENDPOINTS.values()}
    taking = {
        (route.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route.pattern}").removesuffix("/"))
        for route in api_routes()
        if route.has_body
    }
    assert attacked == {(method, path) for method, path in taking if path not in BODILESS}


@pytest.mark.parametrize("body", [b"", b"{}", b"{", b"\xff" * 100, b'"' + b"x" * 10**6 + b'"'])
def test_X8_what_is_sent_where_nothing_is_to_be_said_is_not_read(
    target: Target, body: bytes
) -> None:
    ahead = item(is_preorder=True)
    uuid = target.captured(plain_order(ahead, grace_period=60))["origin_id"]
    names = {"id": uuid, "order_uuid": uuid, "item_uuid": ahead["id"]}

    for path in sorted(BODILESS):
        answer = target.send("POST", f"{path.format(**names)}?id_type=internal", body)
        assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("fault", FAULTS)
def test_is_refused_everywhere_and_nothing_is_written(target: Target, fault: str) -> None:
    # Any order works where the body is read before the order is loaded.
    [plain, release] = (ENDPOINTS[name].at(target) for name in ("cancel", "release"))
    uuid, hold = plain.split("/")[3], release.split("/")[5]
    names = names_of(uuid) | {"tenant": target.tenant.slug, "hold": hold}
    before = state()

    for name, endpoint in ENDPOINTS.items():
        body = FAULTS[fault](json.dumps(endpoint.body(target)).encode())
        path = endpoint.path.format(**names) + endpoint.query
        response = target.send(endpoint.method, path, body, headers=credentials(endpoint, target))

        if len(body) > endpoint.largest:
            (assert_refused if name != "login" else assert_akinon_refused)(response, 413)
        elif fault == "J1-empty" and name == "revoke":
            assert_oauth_refused(response, 401)  # no credentials
        else:
            endpoint.refuses(response, 400)
        assert state() == before, name


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "raw",
    [
        *UNREAD.values(),
        f'[{{"a": [{UNREAD["J4-overflow"]}, {UNREAD["J20-bell"]}]}}]',
        '{"\\u0007": 1e400}',
    ],
    ids=lambda raw: raw[:20],
)
def test_what_nobody_reads_is_ignored(db: None, name: str, raw: str) -> None:
    if name == "status":  # it takes one member only (PS2)
        return
    target = Target(uses_pii_tokens=name in PERSONAL_DATA)
    endpoint = ENDPOINTS[name]
    path = endpoint.at(target)
    body = member(raw)(json.dumps(endpoint.body(target)).encode())

    answer = target.send(endpoint.method, path, body, headers=credentials(endpoint, target))

    assert answer.status_code in (200, 204), answer.content


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("raw", [UNREAD["J4-overflow"], UNREAD["J5-400-digits"], '"a\\u0007"'])
def test_what_somebody_reads_is_not(target: Target, name: str, raw: str) -> None:
    endpoint = ENDPOINTS[name]
    path, valid = endpoint.at(target), endpoint.body(target)
    before = state()

    for pointer in places(valid):
        body = spoiled(json.loads(json.dumps(valid)), {pointer: raw})
        answer = target.send(endpoint.method, path, body, headers=credentials(endpoint, target))
        assert answer.status_code in ((400, 401) if name in OPENID_ROUTES else (400,)), pointer
        assert b"error" in answer.content or b"code" in answer.content
    assert state() == before


@pytest.mark.parametrize("raw", ['{"a": [{"b": 1e400}]}', '[["\\u0007"]]', '[{"\\u0007": 1}]'])
def test_what_is_kept_as_it_is_is_read_to_the_bottom(target: Target, raw: str) -> None:
    before = state()

    body = spoiled(order(), {"/payments/0/metadata/bin": raw})

    assert_refused(target.send("POST", CAPTURE, body), 400, "bad_request")
    assert state() == before


# Routes that require credentials in the body.
OPENID_ROUTES = {"token", "revoke"}


def places(value: Any, at: str = "") -> Iterator[str]:
    """Yield JSON pointers to all members of a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield f"{at}/{key}"
        if isinstance(part, dict | list):
            yield from places(part, f"{at}/{key}")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_what_is_sent_beside_the_fault_is_accepted(target: Target, name: str) -> None:
    """Check the valid bodies, on which the test above relies."""
    endpoint = ENDPOINTS[name]
    target.tenant.uses_pii_tokens = endpoint.body is _PERSONAL  # no difference for others
    target.tenant.save()
    for raw in HARMLESS.values():
        path = endpoint.at(target)
        body = json.dumps(endpoint.body(target)).encode()
        if endpoint.largest > 16_384 and name != "status":  # it takes one member only (PS2)
            body = member(raw)(body)
        response = target.send(endpoint.method, path, body, headers=credentials(endpoint, target))
        assert response.status_code in (200, 204), (raw, response.content)


def credentials(endpoint: Endpoint, target: Target) -> dict[str, str | None]:
    """Return the Authorization header of a route; token routes have none."""
    if endpoint.path == AKINON:
        return {"Authorization": target.headers["Authorization"].replace("Bearer", "Token")}
    return {"Authorization": None} if endpoint.largest == 16_384 else {}


@pytest.mark.parametrize(("size", "status"), [(10_000_001, 413), (30_000_000, 413)])
def test_J12_a_body_beyond_the_limit_is_refused(target: Target, size: int, status: int) -> None:
    before = state()

    response = target.send("POST", CAPTURE, json.dumps(order()).encode().ljust(size))

    assert_refused(response, status, "payload_too_large")
    assert state() == before


def test_J12_a_body_at_the_limit_is_read(target: Target) -> None:
    response = target.send("POST", CAPTURE, json.dumps(order()).encode().ljust(10_000_000))

    assert response.status_code == 200


def test_J18_unknown_members_are_never_applied(target: Target) -> None:
    other = Target()
    claims = {
        "tenant": f'"{other.tenant.slug}"',
        "tenant_id": str(other.tenant.pk),
        "status": '"closed"',
        "number": '"MINE-1"',
        "version": "99",
        "created_at": '"2001-01-01T00:00:00Z"',
        "captured_at": '"2001-01-01T00:00:00Z"',
        "due_at": '"2001-01-01T00:00:00Z"',
        "total": "0",
        "is_admin": "true",
        "items/0/status": '"complete"',
    }

    answer = read(
        target.send(
            "POST", CAPTURE, spoiled(order(), {f"/{name}": raw for name, raw in claims.items()})
        )
    )

    stored = Order.objects.get()
    assert stored.tenant == target.tenant
    assert (answer["status"], answer["items"][0]["status"]) == ("on_hold", "pending")
    assert answer["number"] == stored.number == "NS00000001"
    assert answer["totals"]["total"] == 21
    assert stored.version != 99
    assert stored.captured_at.year != 2001


NAUGHTY = [
    "Robert'); DROP TABLE orders_order;--",
    "' OR 1=1 --",
    '"; DELETE FROM x; --',
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> %s %(x)s {0.__class__}",
    "$(touch /tmp/x) `id` && reboot | cat",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "${jndi:ldap://127.0.0.1/a}",
    '=HYPERLINK("http://example.com")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "../../../etc/passwd",
    "null undefined NaN true -1 1e400",
    "\u200b\u200b",
    "\u202eesrever",
    "\ufffe\uffff\U0001f600\U0010ffff",
    "e\u0301 é ﷽ ﬀ İ ı ß",
    "tab\tline\nfeed\r\n",
    "田中さんにあげて下さい",
    "%00 %0a \\x00 \\u0000",
]


@pytest.mark.parametrize("text", NAUGHTY, ids=lambda text: f"J22-{NAUGHTY.index(text)}")
def test_J22_naughty_strings_are_data_and_come_back_to_the_letter(
    target: Target, text: str
) -> None:
    body = order()
    body["shipping_address"] |= {"first_name": text[:64], "note": text}
    body["customer"]["name"] = text
    body["extended_attributes"] = [{"name": text[:100], "value": text}]
    body["items"][0]["product_attributes"]["name"] = text

    answer = target.send("POST", CAPTURE, strict_json.dumps(body))

    assert answer.status_code == 200, answer.content
    detail = read(target.detail("web-1", id_type="external"))
    assert detail["shipping_address"]["note"] == text
    assert detail["shipping_address"]["first_name"] == text[:64]
    assert detail["customer"]["name"] == text
    assert detail["extended_attributes"] == [{"name": text[:100], "value": text}]
    assert detail["items"][0]["product_attributes"]["name"] == text
