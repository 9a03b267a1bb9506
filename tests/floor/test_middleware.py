"""The request middleware: ids, plain addresses, headers, log lines and metrics."""

import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from django.http import HttpRequest
from django.test import Client, override_settings
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ordermgmt.http.middleware import RequestMiddleware
from ordermgmt.monitoring.logging import add_request_id, json_formatter, request_id

GOOD = {"authorization": "Bearer good"}


@pytest.fixture(autouse=True)
def _example_api() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="tests.floor.example_api", ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.fixture
def api() -> Client:
    return Client(raise_request_exception=False)


class TestRequestId:
    @pytest.mark.parametrize("header", ["request-id", "x-request-id"])
    def test_a_callers_own_is_kept_and_echoed(self, api: Client, header: str) -> None:
        response = api.get("/nope", headers={header: "Ab-1.2:3_4"})

        assert response.headers["Request-Id"] == "Ab-1.2:3_4"
        assert response.json()["request_id"] == "Ab-1.2:3_4"

    @pytest.mark.parametrize(
        "caller_id", ["Root=1-67891233-abc", "{a}+b/c|d@e", "<x>", "!", "~", "x" * 129, "y" * 1_024]
    )
    def test_any_visible_ascii_is_one(self, api: Client, caller_id: str) -> None:
        response = api.get("/nope", headers={"request-id": caller_id})

        assert response.headers["Request-Id"] == response.json()["request_id"] == caller_id

    @pytest.mark.parametrize("length", [1, 128, 129, 1_024])
    def test_the_log_has_both_ends_of_a_long_one(self, length: int) -> None:
        caller_id = ("0123456789abcdef" * 64)[-length:]
        token = request_id.set(caller_id)
        logged = add_request_id(None, "info", {})["request_id"]
        request_id.reset(token)

        assert len(logged) == min(length, 128)
        assert (logged == caller_id) == (length <= 128)
        assert caller_id.startswith(logged.partition("...")[0])
        assert caller_id.endswith(logged.rpartition("...")[2])

    @pytest.mark.parametrize("caller_id", ["", "a b", "x" * 1_025, "\u00e9", "a\r\nb", "a\x7f"])
    def test_one_that_is_no_id_is_replaced(self, api: Client, caller_id: str) -> None:
        answer_id = api.get("/nope", headers={"request-id": caller_id}).headers["Request-Id"]

        assert answer_id != caller_id
        assert len(answer_id) == 32
        assert int(answer_id, 16)

    def test_it_ends_with_its_request(self, api: Client) -> None:
        api.get("/healthz", headers={"request-id": "abc"})

        assert request_id.get() == ""


class TestHeaders:
    @pytest.mark.parametrize("path", ["/baskets", "/nope", "/healthz", "/openapi.yaml", "/%00"])
    def test_every_answer_is_locked_down(self, api: Client, path: str) -> None:
        headers = api.get(path, headers=GOOD).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers
        assert not [name for name in headers if name.startswith("Access-Control-")]

    def test_an_answer_says_its_length(self, api: Client) -> None:
        response = api.get("/baskets", headers=GOOD)

        assert response.headers["Content-Length"] == str(len(response.content))

    def test_https_is_for_ever_where_we_are_told_so(self) -> None:
        with override_settings(SECURE_HSTS_SECONDS=3600):
            api = Client()
            api.handler.load_middleware()
            secure = api.get("/healthz", secure=True).headers
            plain = api.get("/healthz").headers

        assert secure["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"
        assert "Strict-Transport-Security" not in plain


@pytest.mark.parametrize("path", ["//baskets", "/baskets", "///baskets"])
def test_doubled_slashes_are_single_before_anything_looks(api: Client, path: str) -> None:
    response = api.get("/", PATH_INFO=path, headers=GOOD)

    assert response.status_code == 200


class TestTheRawPath:
    """With a raw path from the web server, an encoded slash is not a separator."""

    def basket(self, api: Client, raw: str, decoded: str = "", **environ: str) -> int:
        path = decoded or unquote(raw)
        return api.get("/", PATH_INFO=path, headers=GOOD, **environ).status_code

    @pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
    @pytest.mark.parametrize(
        "raw",
        ["/baskets/", "//baskets//", "http://testserver//baskets/", "/%62askets/", "/baskets"],
    )
    def test_is_made_plain(self, api: Client, name: str, raw: str) -> None:
        decoded = unquote(raw).removeprefix("http://testserver")

        assert self.basket(api, raw, decoded, **{name: f"{raw}?a=//b/"}) == 200

    @pytest.mark.parametrize("raw", ["/baskets%2F", "/baskets%2F/", "/%2Fbaskets", "%2F/baskets/"])
    def test_keeps_its_encoded_slashes(self, api: Client, raw: str) -> None:
        assert self.basket(api, raw, RAW_URI=raw) == 404

    def test_of_another_path_is_not_believed(self, api: Client) -> None:
        assert self.basket(api, "/baskets%2F/x", RAW_URI="/baskets/") == 404
        assert self.basket(api, "/nope/", RAW_URI="/baskets/") == 404

    def test_is_without_the_prefix_we_are_mounted_at(self, api: Client) -> None:
        assert self.basket(api, "/baskets/", RAW_URI="/oms/baskets/", SCRIPT_NAME="/oms") == 200

    def test_is_not_needed_behind_a_word_of_ours(self, api: Client) -> None:
        assert self.basket(api, "/baskets/") == 200
        assert self.basket(api, "/baskets//") == 404


def test_a_probe_may_call_us_by_address(api: Client) -> None:
    assert api.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert api.get("/nope", headers={"host": "10.0.0.7:8000"}).status_code == 400


class TestTheLine:
    def test_it_has_what_happened_and_to_whom(self, api: Client) -> None:
        with capture_logs() as lines:
            api.get("/baskets?email=jane@example.com", headers=GOOD)

        (line,) = lines
        assert line.pop("ms") > 0
        assert line == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "route": "/baskets",
            "status": 200,
            "tenant": "acme",
            "client": "client:web",
        }

    def test_no_address_of_the_caller_gets_into_it(self, api: Client) -> None:
        with capture_logs() as lines:
            api.get("/jane@example.com")

        assert "jane" not in json.dumps(lines)
        assert lines[0]["route"] == "unmatched"

    def test_probes_are_silent_while_all_is_well(self, api: Client) -> None:
        with capture_logs() as lines:
            api.get("/healthz")

        assert lines == []

    def test_a_librarys_line_is_json_without_credentials(self) -> None:
        try:
            raise RuntimeError("Bearer abcdef123456 was sent\r\nfake: line")
        except RuntimeError:
            record = logging.LogRecord(
                "lib", logging.ERROR, "x.py", 1, "with Token abc123def", (), sys.exc_info()
            )

        text = json_formatter().format(record)

        assert "\n" not in text
        line = json.loads(text)
        assert (line["event"], line["level"], line["logger"]) == ("with Token ***", "error", "lib")
        assert "abcdef123456" not in text
        assert "RuntimeError" in line["exception"]


@pytest.mark.django_db
class TestMetrics:
    def test_answers_are_counted_by_route(self, api: Client) -> None:
        labels = {"method": "GET", "route": "/baskets", "status": "200"}
        name = "ordermgmt_http_requests_total"
        before = REGISTRY.get_sample_value(name, labels) or 0

        api.get("/baskets?x=1", headers=GOOD)

        assert REGISTRY.get_sample_value(name, labels) == before + 1
        page = api.get("/metrics").content.decode()
        assert 'ordermgmt_http_request_seconds_count{route="/baskets"}' in page

    def test_nobody_can_add_to_their_number(self, api: Client) -> None:
        for n in range(20):
            api.generic(f"FOO{n}", f"/nope/{n}")

        methods = {
            sample.labels["method"]
            for metric in REGISTRY.collect()
            for sample in metric.samples
            if sample.name == "ordermgmt_http_requests_total"
        }
        assert "OTHER" in methods
        assert not [method for method in methods if method.startswith("FOO")]


def test_a_view_that_breaks_leaves_no_id_behind() -> None:
    def broken(request: HttpRequest) -> None:
        raise KeyError

    request = HttpRequest()
    request.path_info = "/healthz"
    with pytest.raises(KeyError):
        RequestMiddleware(broken)(request)  # type: ignore[arg-type]

    assert request_id.get() == ""
