"""All errors share one envelope, no input causes a 500, and checks keep their order."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from ordermgmt.http import problems
from ordermgmt.http.problems import LONGEST_MESSAGE, Problem, printable, title
from ordermgmt.http.wire import InvalidBody, Wire

GOOD = {"authorization": "Bearer good"}
BASKET = {"items": [{"product_id": "p", "price": {"amount": 1.5}}]}
HEADERS = GOOD | {"request-id": "abc-1", "tenant": "acme", "x-newstore-tenant": "acme"}


@pytest.fixture(autouse=True)
def _example_api() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF="tests.floor.example_api", ALLOWED_HOSTS=["testserver", "localhost"]
    ):
        yield


@pytest.fixture
def api() -> Client:
    return Client(raise_request_exception=False)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The answer's body, once it is known to be the envelope."""
    assert (response.status_code, response.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    ), response.content
    body: dict[str, Any] = json.loads(response.content)
    message = body["message"]
    assert body["type"] == f"/problems/{code}"
    assert body["title"] == title(status)
    assert (body["status"], body["error_code"], body["detail"]) == (status, code, message)
    assert body["messages"][0] == message
    assert 0 < len(message) <= LONGEST_MESSAGE
    assert message.isascii()
    assert body["request_id"] == response.headers["Request-Id"]
    return body


def post(api: Client, body: Any, **extra: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {"content_type": "application/json", "headers": GOOD} | extra
    return api.generic("POST", "/baskets", raw, **options)


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        [
            "/nope",
            "/baskets/x/",
            "/v0",
            "/admin/",
            "/%2e%2e%2fbaskets",
            "/baskets;jsessionid=1",
            "/%ff",
            "/%ED%A0%80",
            "/static/nope.js",
        ],
    )
    def test_what_is_not_there_is_a_404(self, api: Client, path: str) -> None:
        problem(api.get(path), 404, "not_found")

    def test_a_nul_is_a_400(self, api: Client) -> None:
        problem(api.get("/baskets/%00"), 400, "bad_request")

    def test_a_way_out_of_the_static_files_is_a_400(self, api: Client) -> None:
        problem(api.get("/static/../settings.py"), 400, "bad_request")

    def test_an_unknown_host_is_a_400(self, api: Client) -> None:
        problem(api.get("/baskets", headers={"host": "evil.example"}), 400, "bad_request")
        problem(api.get("/baskets", headers={"host": "a b"}), 400, "bad_request")

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "FOO", "OPTIONS", "PATCH"])
    def test_other_methods_are_405_before_credentials(self, api: Client, method: str) -> None:
        response = api.generic(method, "/baskets")

        problem(response, 405, "method_not_allowed")
        assert response.headers["Allow"] == "GET, HEAD, POST"

    def test_head_is_get_without_a_body(self, api: Client) -> None:
        response = api.head("/baskets", headers=GOOD)

        assert (response.status_code, response.content) == (200, b"")

    def test_overriding_the_method_does_nothing(self, api: Client) -> None:
        headers = GOOD | {"x-http-method-override": "DELETE"}

        assert api.get("/baskets?_method=DELETE", headers=headers).status_code == 200


class TestCallers:
    def test_nobody_is_asked_who_he_is(self, api: Client) -> None:
        response = api.get("/baskets")

        assert problem(response, 401, "unauthorized")["message"] == "Say who you are."
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_a_bad_token_is_a_403_as_documented(self, api: Client) -> None:
        response = api.get("/baskets", headers={"authorization": "Bearer bad"})

        problem(response, 403, "invalid_token")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_a_missing_scope_is_named(self, api: Client) -> None:
        response = api.get("/baskets", headers={"authorization": "Bearer poor"})

        body = problem(response, 403, "insufficient_scope")
        assert body["required_scopes"] == ["orders:read"]
        assert "WWW-Authenticate" not in response.headers

    def test_head_needs_what_get_needs(self, api: Client) -> None:
        headers = {"authorization": "Bearer poor"}

        assert api.head("/baskets", headers=headers).status_code == 403

    def test_credentials_are_asked_before_the_body_is_judged(self, api: Client) -> None:
        problem(post(api, b"{", headers={}), 401, "unauthorized")


class TestTenantHeaders:
    @pytest.mark.parametrize("name", ["request-id", "tenant", "x-newstore-tenant"])
    @pytest.mark.parametrize("value", [None, "", " "])
    def test_each_is_required(self, api: Client, name: str, value: str | None) -> None:
        headers = {k: v for k, v in HEADERS.items() if k != name}
        if value is not None:
            headers[name] = value

        body = problem(api.get("/tenants", headers=headers), 400, "bad_request")
        assert [missing.lower() for missing in body["missing_headers"]] == [name]

    def test_all_that_miss_are_named(self, api: Client) -> None:
        body = problem(api.get("/tenants", headers=GOOD), 400, "bad_request")

        assert body["message"] == "Missing required headers: Request-Id, Tenant, X-Newstore-Tenant."

    @pytest.mark.parametrize(
        "tenant",
        ["../../x", "a' OR 1=1", "acme ,acme", "acme,acme", "a" * 64, "ac me", "acm\u00e9"],
    )
    def test_no_tenant_is_called_so(self, api: Client, tenant: str) -> None:
        headers = HEADERS | {"tenant": tenant, "x-newstore-tenant": tenant}

        problem(api.get("/tenants", headers=headers), 400, "bad_request")

    @pytest.mark.parametrize("caller_id", ["a b", "x" * 1_025, "\u00e9", "a\nb", "a\x7f"])
    def test_no_request_is_called_so(self, api: Client, caller_id: str) -> None:
        response = api.get("/tenants", headers=HEADERS | {"request-id": caller_id})

        problem(response, 400, "bad_request")
        assert response.headers["Request-Id"] != caller_id

    def test_both_must_say_the_same(self, api: Client) -> None:
        headers = HEADERS | {"x-newstore-tenant": "other"}

        problem(api.get("/tenants", headers=headers), 400, "bad_request")

    def test_another_tenant_and_an_unknown_one_cannot_be_told_apart(self, api: Client) -> None:
        bodies = [
            problem(
                api.get("/tenants", headers=HEADERS | {"tenant": slug, "x-newstore-tenant": slug}),
                403,
                "forbidden",
            )
            for slug in ("other", "unknown")
        ]

        assert bodies[0] == bodies[1]

    @pytest.mark.parametrize(("one", "other"), [("ACME", "acme"), ("Acme", "aCME")])
    def test_capitals_mean_the_same(self, api: Client, one: str, other: str) -> None:
        response = api.get(
            "/tenants", headers=HEADERS | {"tenant": one, "x-newstore-tenant": other}
        )

        assert response.json() == {"version": 1, "tenant": "acme"}

    def test_the_right_ones_pass(self, api: Client) -> None:
        assert api.get("/tenants", headers=HEADERS).json() == {"version": 1, "tenant": "acme"}


V2 = "application/x.newstore.orders+json;version=2"


class TestAccept:
    @pytest.mark.parametrize(
        ("accept", "version"),
        [
            (None, 1),
            ("*/*", 1),
            ("application/*", 1),
            ("application/json", 1),
            ("application/json;charset=utf-8", 1),
            ("application/json, text/plain, */*", 1),
            ("text/html,application/xhtml+xml,*/*;q=0.8", 1),
            (V2, 2),
            ("application/x.newstore.orders+json; version=2", 2),
            (V2.upper(), 2),
            (f"{V2}, application/json", 2),
            (f"{V2};q=0.5, application/json", 1),
            (f"{V2}, */*;q=0.1", 2),
            (f"{V2};q=0, */*", 1),
            ('application/x.newstore.orders+json;version="2"', 2),
            (f"application/x.newstore.orders+json;version=99, {V2}", 2),
            ("application/x.newstore.orders+json;version=99, */*", 1),
            ("application/x.newstore.orders+json;version=99;q=0", 1),
            ("application/x.newstore.orders+json;version=1", 1),
            ("application/x.newstore.orders+json", 1),
            # What no answer of ours is: there is one all the same.
            ("application/problem+json", 1),
            ("garbage", 1),
            ("application/xml", 1),
            ("text/html", 1),
            ("*/*;q=0", 1),
            ("*/*;q=0.000", 1),
            ("application/json;q=0", 1),
            ("application/json;q=-1", 1),
            ("application/json;q=nan", 1),
            (",", 1),
            (";", 1),
            ("application/json," * 300, 1),
            ("x" * 5_000, 1),
            (f"{'text/html,' * 300}{V2}", 2),
        ],
    )
    def test_it_decides_the_version(self, api: Client, accept: str | None, version: int) -> None:
        response = api.get("/baskets", headers=GOOD | ({"accept": accept} if accept else {}))

        assert response.json()["version"] == version
        assert response.headers["Content-Type"] == (V2 if version == 2 else "application/json")
        assert response.headers["Vary"] == "Accept"

    @pytest.mark.parametrize(
        "accept",
        [
            "application/x.newstore.orders+json;version=99",
            "application/x.newstore.orders+json;version=3, text/html",
            "application/x.newstore.orders+json;version=3, application/json;q=0",
            f"{'text/html,' * 300}application/x.newstore.orders+json;version=99",
            "application/x.newstore.orders+json;version=1e9",
            f"{V2};version=2",
        ],
    )
    def test_a_version_that_is_not_there_is_a_406(self, api: Client, accept: str) -> None:
        problem(api.get("/baskets", headers=GOOD | {"accept": accept}), 406, "not_acceptable")

    def test_what_is_done_is_answered_whatever_version_is_accepted(self, api: Client) -> None:
        accept = "application/x.newstore.orders+json;version=99"
        response = post(api, BASKET, headers=GOOD | {"accept": accept})

        assert response.json() == {"items": 1, "total": 1.5}
        assert response.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize(
        "accept",
        [V2, f"{V2}9", "application/problem+json", "text/html", "*/*;q=0", "", "x" * 5_000],
        ids=lambda accept: accept[:60],
    )
    def test_where_there_is_one_form_it_is_the_answer(self, api: Client, accept: str) -> None:
        response = api.get("/tenants", headers=HEADERS | {"accept": accept})

        assert response.json() == {"version": 1, "tenant": "acme"}
        assert response.headers["Content-Type"] == "application/json"
        assert "Vary" not in response.headers

    def test_errors_are_problems_whatever_is_accepted(self, api: Client) -> None:
        problem(api.get("/baskets?refuse=Conflict", headers=GOOD | {"accept": V2}), 409, "conflict")


class TestBodies:
    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/json; charset=utf-16",
            "application/json; charset=bogus",
            "application/json; charset=base64",
        ],
    )
    def test_only_json_in_utf_8_is_read(self, api: Client, content_type: str) -> None:
        problem(post(api, BASKET, content_type=content_type), 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/json; charset=UTF-8", 'application/json;charset="utf-8"'],
    )
    def test_json_may_say_that_it_is_utf_8(self, api: Client, content_type: str) -> None:
        assert post(api, BASKET, content_type=content_type).json() == {"items": 1, "total": 1.5}

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
    def test_compressed_bodies_are_not_read(self, api: Client, encoding: str) -> None:
        response = post(api, BASKET, headers=GOOD | {"content-encoding": encoding})

        problem(response, 415, "unsupported_media_type")

    @pytest.mark.parametrize("length", ["-1", "+5", "abc", "1e3", "\u0661"])
    def test_a_length_that_is_none_is_a_400(self, api: Client, length: str) -> None:
        problem(post(api, BASKET, CONTENT_LENGTH=length), 400, "bad_request")

    def test_a_body_at_the_limit_is_read_and_one_beyond_is_not(self, api: Client) -> None:
        raw = json.dumps(BASKET).encode()

        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=len(raw)):
            assert post(api, raw).status_code == 200
            problem(post(api, raw + b" "), 413, "payload_too_large")

    def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(self, api: Client) -> None:
        problem(post(api, b"{", CONTENT_LENGTH="1000000000"), 413, "payload_too_large")

    def test_the_body_of_a_get_is_ignored(self, api: Client) -> None:
        response = api.generic("GET", "/baskets", b"{", content_type="text/plain", headers=GOOD)

        assert response.status_code == 200

    def test_a_get_may_say_json_without_a_body(self, api: Client) -> None:
        response = api.generic("GET", "/baskets", content_type="application/json", headers=GOOD)

        assert response.status_code == 200

    @pytest.mark.parametrize(
        "raw", [b"", b" ", b"null", b"[]", b'"x"', b"1", b"true", b"{", b'{"items":[],"items":[]}']
    )
    def test_what_is_no_object_is_a_400(self, api: Client, raw: bytes) -> None:
        problem(post(api, raw), 400, "bad_request")

    def test_unknown_keys_are_ignored(self, api: Client) -> None:
        extra = {"tenant": "b", "__proto__": {"x": 1}, "is_admin": True, "items__tenant": 1}

        assert post(api, BASKET | extra).json() == {"items": 1, "total": 1.5}

    def test_naughty_strings_are_data(self, api: Client) -> None:
        for text in ("'; --", "${jndi}", "<b>", "=1+1", "\U0001f600", "{{7*7}}"):
            assert post(api, {"items": [{"product_id": text}]}).status_code == 200


@pytest.mark.parametrize(
    ("item", "pointer", "words"),
    [
        ({}, "/items/0/product_id", "items.0: 'product_id' is a required property"),
        ([], "/items/0", "items.0: an array is not of type 'object'"),
        (None, "/items/0", "items.0: null is not of type 'object'"),
        ({"product_id": 5}, "/items/0/product_id", "a number is not of type 'string'"),
        ({"product_id": None}, "/items/0/product_id", "null is not of type 'string'"),
        ({"product_id": ""}, "/items/0/product_id", "too short: at least 1"),
        ({"product_id": "x" * 9}, "/items/0/product_id", "too long: at most 8"),
        ({"price": "12"}, "/items/0/price", "a string is not of type 'object'"),
        ({"price": {}}, "/items/0/price/amount", "items.0.price: 'amount' is a required property"),
        ({"price": {"amount": "1e2"}}, "/items/0/price/amount", "is not of type 'number'"),
        ({"price": {"amount": True}}, "/items/0/price/amount", "a boolean is not of type 'number'"),
        ({"price": {"amount": -0.01}}, "/items/0/price/amount", "less than the minimum of 0"),
        ({"count": "12"}, "/items/0/count", "a string is not of type 'integer'"),
        ({"count": 1.5}, "/items/0/count", "a number is not of type 'integer'"),
        ({"count": True}, "/items/0/count", "a boolean is not of type 'integer'"),
        ({"count": ""}, "/items/0/count", "a string is not of type 'integer'"),
        ({"gift": "yes"}, "/items/0/gift", "a string is not of type 'boolean'"),
        ({"gift": 1}, "/items/0/gift", "a number is not of type 'boolean'"),
        ({"kind": "c"}, "/items/0/kind", "the value is not one of ['a', 'b']"),
        ({"kind": "A"}, "/items/0/kind", "the value is not one of ['a', 'b']"),
        ({"id": 5}, "/items/0/id", "a number is not of type 'string'"),
        ({"id": "{00000000-0000-0000-0000-000000000000}"}, "/items/0/id", "not a 'uuid'"),
        ({"id": "urn:uuid:00000000-0000-0000-0000-000000000000"}, "/items/0/id", "not a 'uuid'"),
        ({"id": "00000000000000000000000000000000"}, "/items/0/id", "not a 'uuid'"),
        ({"placed_at": 1700000000}, "/items/0/placed_at", "is not of type 'string'"),
        ({"placed_at": "2024-01-01"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-01-01T10:00:00"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-W13-7T10:00:00Z"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-02-30T10:00:00Z"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-01-01T25:00:00Z"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-01-01T10:00:60Z"}, "/items/0/placed_at", "is not a 'date-time'"),
        ({"placed_at": "2024-01-01T10:00:00+99:99"}, "/items/0/placed_at", "not a 'date-time'"),
        ({"placed_at": "0000-01-01T10:00:00Z"}, "/items/0/placed_at", "is not a 'date-time'"),
    ],
)
def test_a_wrong_body_is_told_where_and_why(
    api: Client, item: Any, pointer: str, words: str
) -> None:
    if isinstance(item, dict) and item:
        item = {"product_id": "p"} | item

    body = problem(post(api, {"items": [item]}), 400, "bad_request")

    assert body["message"].startswith("Validation of example order failed with error: items.0")
    assert body["message"].endswith(".")
    assert words in body["message"]
    assert body["errors"][0]["pointer"] == pointer


def test_the_documented_wording_is_kept(api: Client) -> None:
    body = problem(post(api, {}), 400, "bad_request")

    wanted = "Validation of example order failed with error: 'items' is a required property."
    assert body["message"] == wanted
    assert body["errors"] == [{"pointer": "/items", "message": "'items' is a required property"}]


def test_twenty_faults_are_told_and_no_more(api: Client) -> None:
    body = problem(post(api, {"items": [{}] * 30}), 400, "bad_request")

    assert len(body["messages"]) == len(body["errors"]) == 20


def test_members_of_a_union_complain_once_and_without_their_names() -> None:
    class Net(Wire):
        net: int

    class Gross(Wire):
        net: int
        gross: int

    class Line(Wire):
        price: Net | Gross

    with pytest.raises(InvalidBody) as refusal:
        Line.check({"price": {}}, operation="test")

    assert refusal.value.facts["errors"] == [
        {"pointer": "/price/net", "message": "'net' is a required property"},
        {"pointer": "/price/gross", "message": "'gross' is a required property"},
    ]
    assert "Net" not in str(refusal.value.facts)


def test_a_refusal_does_not_repeat_the_input(api: Client) -> None:
    hostile = "<script>" * 100_000
    for item in ({"kind": hostile[:9000]}, {"id": hostile[:9000]}, {"product_id": hostile[:9000]}):
        response = post(api, {"items": [{"product_id": "p"} | item]})
        problem(response, 400, "bad_request")
        assert b"script" not in response.content


@pytest.mark.parametrize(
    ("item", "stored"),
    [
        ({"count": 1.0}, 200),
        ({"id": "00000000-0000-0000-0000-00000000000A"}, 200),
        ({"placed_at": "2024-01-01T10:00:00.123456789Z"}, 200),
        ({"placed_at": "2024-01-01t10:00:00-11:30"}, 200),
        ({"price": None, "id": None}, 200),
    ],
)
def test_what_is_right_in_an_unusual_way_is_taken(api: Client, item: Any, stored: int) -> None:
    assert post(api, {"items": [{"product_id": "p"} | item]}).status_code == stored


class TestQueries:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "kind=",
            "kind=INTERNAL",
            "kind=foo",
            "kind=internal&kind=internal",
            "kind=internal&x=1&x=1",
            "kind=internal&x=%00",
            "kind=internal&%00=1",
            *(
                f"kind=internal&offset={text}"
                for text in ("-1", "abc", "2147483648", "9" * 30, "1.0", "%2B1", "%EF%BC%90", "1e1")
            ),
            *(f"kind=internal&count={text}" for text in ("0", "51", "all", "", "01")),
        ],
    )
    def test_what_makes_no_sense_is_a_400(self, api: Client, query: str) -> None:
        problem(api.get(f"/pages?{query}", headers=GOOD), 400, "bad_request")

    def test_what_is_not_known_is_ignored(self, api: Client) -> None:
        response = api.get(
            "/pages?kind=internal&offset=2147483647&count=50&format=api&callback=x&%ff=%ff",
            headers=GOOD,
        )

        assert response.json() == {"kind": "internal", "offset": 2147483647, "count": 50}


class TestRefusals:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("Invalid", 400, "bad_request"),
            ("Forbidden", 403, "forbidden"),
            ("NotFound", 404, "not_found"),
            ("Conflict", 409, "conflict"),
            ("PreconditionFailed", 412, "precondition_error"),
            ("Unavailable", 503, "external_server_error"),
            ("Misconfigured", 500, "internal_server_error"),
        ],
    )
    def test_each_kind_has_its_status(self, api: Client, kind: str, status: int, code: str) -> None:
        response = api.get(f"/baskets?refuse={kind}", headers=GOOD)

        body = problem(response, status, code)
        assert body["message"] == "No, because of \\xe9."
        assert body["number"] == 7
        assert ("Retry-After" in response.headers) == (status == 503)

    def test_a_documented_bodiless_answer_has_no_body(self, api: Client) -> None:
        response = api.get("/tenants?refuse=NotFound", headers=HEADERS)

        assert (response.status_code, response.content) == (404, b"")
        assert "Content-Type" not in response.headers
        problem(api.get("/tenants?refuse=Invalid", headers=HEADERS), 400, "bad_request")


class TestFailures:
    @pytest.mark.parametrize("kind", ["operational", "interface"])
    def test_a_database_away_is_a_503(
        self, api: Client, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = api.get(f"/baskets?fail={kind}", headers=GOOD)

        problem(response, 503, "service_unavailable")
        assert response.headers["Retry-After"] == "2"
        assert b"hunter2" not in response.content
        assert caplog.records

    def test_what_the_database_cannot_hold_is_a_400_and_an_alarm(
        self, api: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        problem(api.get("/baskets?fail=data", headers=GOOD), 400, "bad_request")

        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_the_unforeseen_is_a_500_that_tells_nothing_and_is_logged(
        self, api: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = api.get("/baskets?fail=unforeseen", headers=GOOD)

        body = problem(response, 500, "internal_server_error")
        assert body["message"] == "Couldn't process request due to an internal error."
        assert b"hunter2" not in response.content
        assert any("hunter2" in str(record.exc_info) for record in caplog.records)


class TestEnvelope:
    def test_facts_cannot_fake_its_own_members(self) -> None:
        facts = {"status": 200, "type": "x", "error_code": "fine", "request_id": "x", "more": 1}

        body = Problem(409, "conflict", "No.", facts).body()

        assert (body["status"], body["error_code"], body["type"]) == (
            409,
            "conflict",
            "/problems/conflict",
        )
        assert (body["request_id"], body["more"]) == ("", 1)

    def test_a_message_fits_any_log_line(self) -> None:
        hostile = "\x1b[31m\r\nfake: line\u202e\ud800 " + "\u00e9" * 1000

        safe = printable(hostile)

        assert len(safe) <= LONGEST_MESSAGE
        assert safe.isascii()
        assert safe.isprintable()

    def test_every_status_we_answer_has_words(self) -> None:
        for status, (code, words) in problems.CODES.items():
            assert title(status)
            assert code.isidentifier()
            assert words.endswith(".")
