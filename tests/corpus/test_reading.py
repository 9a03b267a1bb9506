"""Robustness table G: reads of missing orders and with invalid parameters."""

from uuid import uuid4

import pytest

from ordermgmt.http.api import ORDERS_V2
from tests.corpus.target import Target, assert_refused, order, state
from tests.orders.shop import read

pytestmark = pytest.mark.django_db
ID = "aaaaaaaa-0000-4000-8000-000000000001"
V2 = {"Accept": ORDERS_V2}

BAD_REQUESTS = {
    "G1-no-type": f"/v0/orders/{ID}",
    "G1-empty-type": f"/v0/orders/{ID}?id_type=",
    "G1-capitals": f"/v0/orders/{ID}?id_type=INTERNAL",
    "G1-unknown-type": f"/v0/orders/{ID}?id_type=foo",
    "G1-space": f"/v0/orders/{ID}?id_type=internal%20",
    "G1-twice": f"/v0/orders/{ID}?id_type=internal&id_type=internal",
    "G1-nul": f"/v0/orders/{ID}?id_type=internal%00",
    "G1-not-utf-8": f"/v0/orders/{ID}?id_type=%ff",
    "G5-nul-in-id": "/v0/orders/%00?id_type=external",
    "G5-nul-inside": "/v0/orders/a%00b?id_type=external",
    "G9-no-customer": "/v0/orders",
    "G9-empty": "/v0/orders?customer_id=",
    "G9-nul": "/v0/orders?customer_id=a%00b",
    "G9-10-kB": f"/v0/orders?customer_id={'x' * 10_000}",
    "G9-twice": "/v0/orders?customer_id=a&customer_id=b",
    **{
        f"G10-offset-{value}": f"/v0/orders?customer_id=c-1&offset={value}"
        for value in (
            *("-1", "abc", "2147483648", "9223372036854775808", "18446744073709551616", "1.0"),
            *("%2B1", "%EF%BC%90", "01", "1e1", "", "%201", "1%0a", "0x1", "null", "1_0"),
        )
    },
    **{
        f"G11-count-{value}": f"/v0/orders?customer_id=c-1&count={value}"
        for value in ("0", "51", "-1", "all", "1e1", "", "%D9%A1", "1%00", "9" * 5_000)
    },
}
NOT_THERE = {
    "G2-text": "x",
    "G2-nil": "00000000-0000-0000-0000-000000000000",
    "G2-braces": f"{{{ID}}}",
    "G2-urn": f"urn:uuid:{ID}",
    "G2-36-other-letters": "gggggggg-0000-4000-8000-000000000001",
    "G2-no-dashes": ID.replace("-", ""),
    "G2-space": f"{ID}%20",
    "G2-number": "1",
    "G2-unknown": str(uuid4()),
    "G5-quote": "'",
    "G5-injection": "'%20OR%201=1--",
    "G5-percent": "%25",
    "G5-underscore": "______1",
    "G5-star": "*",
    "G5-twin": "web%E2%80%901",
    "G5-capitals": "WEB-1",
    "G5-5-kB": "x" * 5_000,
    "H2-up": "%2e%2e%2fadmin",
    "H2-session": f"{ID};jsessionid=1",
    "H2-slash": f"{ID}%2f",
    "H2-deeper": f"{ID}/more",
    "H5-ff": "%ff",
    "H5-surrogate": "%ED%A0%80",
    "H5-overlong": "%c0%af",
}
IGNORED = {
    "G14-order": "order_by=-pk",
    "G14-fields": "fields=*&expand=tenant",
    "G14-lookup": "tenant__slug=x&id__gt=0",
    "H28-format": "format=api",
    "H28-callback": "callback=x",
    "H27-method": "_method=DELETE",
    "H30-unknown": "utm_source=x",
}


@pytest.mark.parametrize("version", [{}, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("row", BAD_REQUESTS)
def test_is_a_bad_request(target: Target, row: str, version: dict[str, str]) -> None:
    target.captured(order())
    before = state()

    response = target.send("GET", BAD_REQUESTS[row], headers=dict(version))

    if not version and row.startswith(("G10", "G11")) and "%00" not in row:
        assert response.status_code == 200  # version 1 has no pages and ignores these
    else:
        assert_refused(response, 400, "bad_request")
    assert state() == before


@pytest.mark.parametrize("id_type", ["internal", "external"])
@pytest.mark.parametrize("row", NOT_THERE)
def test_is_not_there_without_a_body(target: Target, row: str, id_type: str) -> None:
    """Row G2, a 404 without a body by the contract."""
    target.captured(order())

    response = target.send("GET", f"/v0/orders/{NOT_THERE[row]}?id_type={id_type}")

    assert (response.status_code, response.content) == (404, b"")
    assert response["Request-Id"] == "corpus-1"


def test_G3_our_own_id_is_not_the_callers(target: Target) -> None:
    target.captured(order())

    assert target.detail(ID, id_type="internal").status_code == 200
    assert target.detail(ID, id_type="external").status_code == 404
    assert target.detail("web-1", id_type="internal").status_code == 404


@pytest.mark.parametrize("count", ["offset=0", "count=10", "offset=0&count=10", "count=abc"])
def test_G12_version_1_ignores_what_chooses_a_page(target: Target, count: str) -> None:
    plain = target.send("GET", "/v0/orders?customer_id=c-1")

    answer = target.send("GET", f"/v0/orders?customer_id=c-1&{count}")

    assert (answer.status_code, answer.content) == (200, plain.content)


@pytest.mark.parametrize("customer", ["%25", "_", "c-%25", "C-1", "c-1%20", "'%20OR%201=1--", "*"])
def test_G9_nothing_is_a_wildcard(target: Target, customer: str) -> None:
    target.captured(order())

    page = read(target.send("GET", f"/v0/orders?customer_id={customer}", headers=V2))

    assert page == {"pagination_info": {"count": 0, "offset": 0, "total": 0}, "orders": []}


@pytest.mark.parametrize("query", IGNORED.values(), ids=IGNORED)
def test_what_is_not_known_changes_nothing(target: Target, query: str) -> None:
    target.captured(order())
    for path in (f"/v0/orders/{ID}?id_type=internal", "/v0/orders?customer_id=c-1"):
        plain = target.send("GET", path, headers=V2)
        assert plain.status_code == 200
        assert target.send("GET", f"{path}&{query}", headers=V2).content == plain.content


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": "*"},
        {"If-None-Match": 'W/"x", garbage'},
        {"Range": "bytes=0-"},
        {"Range": "bytes=99-1,-,x"},
        {"If-Modified-Since": "yesterday"},
        {"Accept-Encoding": "gzip;q=abc"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "for=1;host=evil.example"},
    ],
    ids=lambda headers: "-".join(f"{k}:{v}" for k, v in headers.items()),
)
def test_H23_headers_we_do_not_use_do_no_harm(target: Target, headers: dict[str, str]) -> None:
    target.captured(order())
    path = f"/v0/orders/{ID}?id_type=internal"

    response = target.send("GET", path, headers=dict(headers))

    assert response.status_code == 200
    assert response.content == target.send("GET", path).content
    assert b"evil" not in response.content + str(response.headers).encode()


def test_G10_a_far_offset_is_an_empty_page(target: Target) -> None:
    target.captured(order())

    page = read(target.history("c-1", offset=2147483647))

    assert page["pagination_info"] == {"count": 0, "offset": 2147483647, "total": 1}
