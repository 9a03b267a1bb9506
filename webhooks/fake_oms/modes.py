"""Modes of the fake OMS: name, description and behavior."""

import gzip
from dataclasses import dataclass
from typing import Final, Literal

from webhooks.fake_oms import answers, faults
from webhooks.fake_oms.answers import (
    in_items,
    in_prices,
    redirecting,
    refusing,
    rewriting,
    saying,
    set_to,
    spoiling,
    without,
)
from webhooks.fake_oms.calls import Behavior
from webhooks.fake_oms.faults import claiming, endless, raw

Certificate = Literal["good", "self_signed", "expired", "wrong_name", "old"]
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
METADATA: Final = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True)
class Mode:
    """A mode of the fake OMS. Without a `certificate` it serves plain http.

    With `listens` false it refuses connections, with `reads` false it never reads a request.
    """

    help: str
    behavior: Behavior
    certificate: Certificate | None = None
    listens: bool = True
    reads: bool = True


ON_TIME: Final = {
    "good": Mode("Answers as the contract asks, with invented orders.", answers.good),
    "tls": Mode("The same by https, with an authority of its own.", answers.good, "good"),
    "slow": Mode("Answers well, after --seconds.", answers.slow),
    "flapping": Mode("Fails every other call with 503, the first one too.", answers.flapping),
    "many": Mode("Lists 250 orders of every customer.", answers.many),
    "oldest_first": Mode("Lists the oldest order first.", answers.oldest_first),
    "more": Mode(
        "Adds members that the contract does not know.",
        spoiling(set_to(next="http://169.254.169.254/", loyalty={"points": 7})),
    ),
    "script": Mode(
        "Names a product by a script and a spreadsheet formula.",
        spoiling(in_items(set_to(product_attributes={"name": '=1+1"><script>alert(1)</script>'}))),
    ),
    "html_type": Mode(
        "Says that its sound JSON is HTML.",
        rewriting(lambda text: text, content_type="text/html"),
    ),
    "cookies": Mode("Sets cookies.", rewriting(lambda text: text, set_cookie="a=b; Path=/")),
}
REFUSING: Final = {
    **{
        str(status): Mode(f"Answers {status} to every call.", refusing(status))
        for status in (400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504)
    },
    **{
        f"429_{name}": Mode(
            f"Answers 429 with Retry-After: {after}.", refusing(429, retry_after=after)
        )
        for name, after in {
            "now": "0",
            "soon": "5",
            "never": "999999999",
            "past": "Wed, 21 Oct 2015 07:28:00 GMT",
            "unclear": "in a while",
        }.items()
    },
    **{
        f"redirect_{status}": Mode(
            f"Redirects with {status} to the metadata service.", redirecting(status, METADATA)
        )
        for status in (301, 302, 303, 307, 308)
    },
    "redirect_loop": Mode("Redirects to itself.", redirecting(302, "{itself}")),
    "redirect_host": Mode("Redirects to another host.", redirecting(302, "https://example.com/")),
    "204": Mode("Answers 204, without a body.", answers.no_content),
}
SPOILED: Final = {
    "empty": Mode("Answers 200 with no body.", saying(b"")),
    "no_orders": Mode("Answers 200 with {}.", saying({})),
    "many_faults": Mode(
        "Answers 200 with 39,800 things that are empty.",
        saying(b'{"orders": [%b{}], "items": [%b{}]}' % (b"{}," * 19_900, b"{}," * 19_900)),
    ),
    "null": Mode("Answers 200 with null.", saying(None)),
    "list": Mode("Answers 200 with a list.", saying([])),
    "html": Mode(
        "Answers 200 with a page of HTML.",
        saying(b"<html>Sign in</html>", content_type="text/html"),
    ),
    "not_json": Mode("Stops in the middle of its JSON.", rewriting(lambda text: text[:-2])),
    "nan": Mode("Has NaN for a price.", spoiling(in_prices(set_to(net=float("nan"))))),
    "infinity": Mode(
        "Has 1e999 for a price.",
        rewriting(lambda text: text.replace(b'"net": ', b'"net": 1e999, "was": ')),
    ),
    "long_number": Mode(
        "Has a price of 100,000 digits.",
        rewriting(lambda text: text.replace(b'"net": ', b'"net": ' + b"9" * 100_000, 1)),
    ),
    "twice": Mode(
        "Says the status twice, differently.",
        rewriting(lambda text: text.replace(b'"status"', b'"status": "complete", "status"')),
    ),
    "deep": Mode(
        "Nests 100,000 lists.",
        saying(b'{"orders": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ),
    "latin1": Mode("Is not UTF-8.", rewriting(lambda text: text.replace(b"Example", b"\xc9x"))),
    "utf16": Mode("Is UTF-16.", rewriting(lambda text: text.decode().encode("utf-16"))),
    "surrogate": Mode(
        "Has half a character in a name.",
        spoiling(in_items(set_to(product_attributes={"name": "\ud800"}))),
    ),
    "nul": Mode(
        "Has NUL in a name.", spoiling(in_items(set_to(product_attributes={"name": "a\0b"})))
    ),
    "gzip": Mode(
        "Sends gzip though nobody asked for it.", rewriting(gzip.compress, content_encoding="gzip")
    ),
    "wrong_order": Mode("Answers with another order.", spoiling(set_to(id="EVE-001"))),
    "same_ids": Mode(
        "Gives all orders and items one id.",
        spoiling(
            lambda order: (
                order.update(id="SAME-1", origin_id="SAME-1"),
                in_items(set_to(id="1"))(order),
            )
        ),
    ),
    "no_status": Mode("Leaves out the status.", spoiling(without("status"))),
    "no_items": Mode("Leaves out the items.", spoiling(without("items"))),
    "no_totals": Mode("Leaves out the totals of a detail.", spoiling(without("totals"))),
    "no_price": Mode("Leaves out the prices of items.", spoiling(in_items(without("price")))),
    "null_items": Mode("Has null for the items.", spoiling(set_to(items=None))),
    "unknown_status": Mode("Has a status of its own.", spoiling(set_to(status="shipped"))),
    "item_on_hold": Mode(
        "Has items on_hold, which this contract has not.",
        spoiling(in_items(set_to(status="on_hold"))),
    ),
    "unknown_currency": Mode("Has the currency ZZZ.", spoiling(set_to(currency="ZZZ"))),
    "text_price": Mode("Has prices as text.", spoiling(in_prices(set_to(net="72.00")))),
    "negative_price": Mode("Has negative prices.", spoiling(in_prices(set_to(net=-1)))),
    "many_places": Mode(
        "Has a price of 30 decimal places.",
        rewriting(lambda text: text.replace(b'"net": ', b'"net": 0.' + b"1" * 30 + b', "was": ')),
    ),
    "bad_date": Mode("Has a date that is none.", spoiling(set_to(placed_at="2021-13-41"))),
    "local_date": Mode(
        "Has times without a zone.", spoiling(set_to(placed_at="2021-11-22T12:51:39"))
    ),
    "empty_id": Mode("Has an empty id.", spoiling(set_to(origin_id=""))),
    "cash_on_delivery": Mode(
        "Has a method of payment that the contract has not.",
        spoiling(
            set_to(
                payment_history=[
                    {
                        "category": "payment",
                        "amount": 1,
                        "currency": "USD",
                        "method": "cash_on_delivery",
                    }
                ]
            )
        ),
    ),
}
BROKEN: Final = {
    "refuse": Mode("Takes no connections.", faults.hang, listens=False),
    "silent": Mode("Takes connections and reads nothing.", faults.hang, reads=False),
    "hang": Mode("Reads the request and never answers.", faults.hang),
    "headers_then_hang": Mode("Sends headers and no more.", faults.headers_then_hang),
    "drip_status": Mode("Sends a byte a second from the start.", faults.drip_status),
    "drip_headers": Mode("Sends headers, a byte a second.", faults.drip_headers),
    "drip_body": Mode("Sends the body, a byte a second.", faults.drip_body),
    "drip_chunks": Mode("Sends a chunk of one byte a second.", faults.drip_chunks),
    "hang_up": Mode("Closes the connection without a word.", faults.hang_up),
    "reset": Mode("Resets the connection.", faults.reset),
    "reset_in_body": Mode("Resets the connection in the body.", faults.reset_in_body),
    "close_in_body": Mode("Closes the connection in the body.", faults.close_in_body),
    "short_length": Mode("Announces half of the body.", claiming("{half}")),
    "long_length": Mode("Announces more than it sends.", claiming("{more}")),
    "huge_length": Mode("Announces a petabyte, and sends little.", claiming(f"{10**15}")),
    "negative_length": Mode("Announces -1 bytes.", claiming("-1")),
    "word_length": Mode("Announces a length that is no number.", claiming("much")),
    "two_lengths": Mode("Announces two lengths.", claiming("{half}\r\nContent-Length: {more}")),
    "endless_chunks": Mode(
        "Sends chunks without end.", endless(CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n")
    ),
    "endless_trailers": Mode(
        "Sends trailers without end.",
        endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-More: %b\r\n" % (b"x" * 1024)),
    ),
    "huge_chunk": Mode("Announces a chunk of 8 exabytes.", raw(CHUNKED, b"7fffffffffffffff\r\n{}")),
    "negative_chunk": Mode(
        "Announces a chunk of -1 bytes.", endless(CHUNKED + b"-1\r\n", b" " * 65536)
    ),
    "bad_chunk": Mode("Has a chunk whose length is no number.", raw(CHUNKED, b"zz\r\n{}\r\n")),
    "long_chunk_line": Mode(
        "Has a chunk extension without end.", endless(CHUNKED + b"2;", b"x" * 65536)
    ),
    "both_framings": Mode(
        "Announces a length and chunks.",
        raw(
            OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"
        ),
    ),
    "junk": Mode("Sends random bytes.", faults.junk),
    "no_http": Mode("Sends JSON without any headers.", raw(b'{"orders": []}')),
    "bad_status": Mode("Has a status that is no number.", raw(b"HTTP/1.1 OK 200\r\n\r\n{}")),
    "status_999": Mode("Has the status 999.", raw(b"HTTP/1.1 999 What\r\n\r\n{}")),
    "bad_headers": Mode("Has headers that are none.", raw(OK + b"no colon\r\n\0: x\r\n\r\n{}")),
    "continue_storm": Mode(
        "Answers 100 Continue for ever.", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    ),
    "early_hints": Mode(
        "Answers 103 Early Hints for ever.", endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")
    ),
    "many_headers": Mode("Has headers without end.", endless(OK, b"X-More: yes\r\n")),
    "huge_header": Mode("Has a header without end.", endless(OK + b"X-More: ", b"x" * 65536)),
    "huge_status": Mode("Has a status line without end.", endless(b"HTTP/1.1 200 ", b"x" * 65536)),
    "huge": Mode("Sends a body of 100 MB.", faults.huge),
    "huge_without_length": Mode("Sends 100 MB unannounced.", faults.huge_without_length),
    "bomb": Mode("Sends 100 kB of gzip that become 100 MB.", faults.bomb),
    "tls_self_signed": Mode("Vouches for itself.", answers.good, "self_signed"),
    "tls_expired": Mode("Has a certificate of yesterday.", answers.good, "expired"),
    "tls_wrong_name": Mode("Has a certificate of another host.", answers.good, "wrong_name"),
    "tls_old": Mode("Knows no TLS but 1.0.", answers.good, "old"),
}
MODES: Final[dict[str, Mode]] = {**ON_TIME, **REFUSING, **SPOILED, **BROKEN}
