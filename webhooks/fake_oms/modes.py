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


@dataclass(frozen=True, kw_only=True)
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
    "good": Mode(help="Answers as the contract asks, with invented orders.", behavior=answers.good),
    "tls": Mode(
        help="The same by https, with an authority of its own.",
        behavior=answers.good,
        certificate="good",
    ),
    "slow": Mode(help="Answers well, after --seconds.", behavior=answers.slow),
    "flapping": Mode(
        help="Fails every other call with 503, the first one too.", behavior=answers.flapping
    ),
    "many": Mode(help="Lists 250 orders of every customer.", behavior=answers.many),
    "oldest_first": Mode(help="Lists the oldest order first.", behavior=answers.oldest_first),
    "more": Mode(
        help="Adds members that the contract does not know.",
        behavior=spoiling(set_to(next="http://169.254.169.254/", loyalty={"points": 7})),
    ),
    "script": Mode(
        help="Names a product by a script and a spreadsheet formula.",
        behavior=spoiling(
            in_items(set_to(product_attributes={"name": '=1+1"><script>alert(1)</script>'}))
        ),
    ),
    "html_type": Mode(
        help="Says that its sound JSON is HTML.",
        behavior=rewriting(lambda text: text, content_type="text/html"),
    ),
    "cookies": Mode(
        help="Sets cookies.", behavior=rewriting(lambda text: text, set_cookie="a=b; Path=/")
    ),
}
REFUSING: Final = {
    **{
        str(status): Mode(help=f"Answers {status} to every call.", behavior=refusing(status))
        for status in (400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504)
    },
    **{
        f"429_{name}": Mode(
            help=f"Answers 429 with Retry-After: {after}.",
            behavior=refusing(429, retry_after=after),
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
            help=f"Redirects with {status} to the metadata service.",
            behavior=redirecting(status, METADATA),
        )
        for status in (301, 302, 303, 307, 308)
    },
    "redirect_loop": Mode(help="Redirects to itself.", behavior=redirecting(302, "{itself}")),
    "redirect_host": Mode(
        help="Redirects to another host.", behavior=redirecting(302, "https://example.com/")
    ),
    "204": Mode(help="Answers 204, without a body.", behavior=answers.no_content),
}
SPOILED: Final = {
    "empty": Mode(help="Answers 200 with no body.", behavior=saying(b"")),
    "no_orders": Mode(help="Answers 200 with {}.", behavior=saying({})),
    "many_faults": Mode(
        help="Answers 200 with 39,800 things that are empty.",
        behavior=saying(
            b'{"orders": [%b{}], "items": [%b{}]}' % (b"{}," * 19_900, b"{}," * 19_900)
        ),
    ),
    "null": Mode(help="Answers 200 with null.", behavior=saying(None)),
    "list": Mode(help="Answers 200 with a list.", behavior=saying([])),
    "html": Mode(
        help="Answers 200 with a page of HTML.",
        behavior=saying(b"<html>Sign in</html>", content_type="text/html"),
    ),
    "not_json": Mode(
        help="Stops in the middle of its JSON.", behavior=rewriting(lambda text: text[:-2])
    ),
    "nan": Mode(
        help="Has NaN for a price.", behavior=spoiling(in_prices(set_to(net=float("nan"))))
    ),
    "infinity": Mode(
        help="Has 1e999 for a price.",
        behavior=rewriting(lambda text: text.replace(b'"net": ', b'"net": 1e999, "was": ')),
    ),
    "long_number": Mode(
        help="Has a price of 100,000 digits.",
        behavior=rewriting(lambda text: text.replace(b'"net": ', b'"net": ' + b"9" * 100_000, 1)),
    ),
    "twice": Mode(
        help="Says the status twice, differently.",
        behavior=rewriting(
            lambda text: text.replace(b'"status"', b'"status": "complete", "status"')
        ),
    ),
    "deep": Mode(
        help="Nests 100,000 lists.",
        behavior=saying(b'{"orders": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ),
    "latin1": Mode(
        help="Is not UTF-8.", behavior=rewriting(lambda text: text.replace(b"Example", b"\xc9x"))
    ),
    "utf16": Mode(
        help="Is UTF-16.", behavior=rewriting(lambda text: text.decode().encode("utf-16"))
    ),
    "surrogate": Mode(
        help="Has half a character in a name.",
        behavior=spoiling(in_items(set_to(product_attributes={"name": "\ud800"}))),
    ),
    "nul": Mode(
        help="Has NUL in a name.",
        behavior=spoiling(in_items(set_to(product_attributes={"name": "a\0b"}))),
    ),
    "gzip": Mode(
        help="Sends gzip though nobody asked for it.",
        behavior=rewriting(gzip.compress, content_encoding="gzip"),
    ),
    "wrong_order": Mode(
        help="Answers with another order.", behavior=spoiling(set_to(id="EVE-001"))
    ),
    "same_ids": Mode(
        help="Gives all orders and items one id.",
        behavior=spoiling(
            lambda order: (
                order.update(id="SAME-1", origin_id="SAME-1"),
                in_items(set_to(id="1"))(order),
            )
        ),
    ),
    "no_status": Mode(help="Leaves out the status.", behavior=spoiling(without("status"))),
    "no_items": Mode(help="Leaves out the items.", behavior=spoiling(without("items"))),
    "no_totals": Mode(
        help="Leaves out the totals of a detail.", behavior=spoiling(without("totals"))
    ),
    "no_price": Mode(
        help="Leaves out the prices of items.", behavior=spoiling(in_items(without("price")))
    ),
    "null_items": Mode(help="Has null for the items.", behavior=spoiling(set_to(items=None))),
    "unknown_status": Mode(
        help="Has a status of its own.", behavior=spoiling(set_to(status="shipped"))
    ),
    "item_on_hold": Mode(
        help="Has items on_hold, which this contract has not.",
        behavior=spoiling(in_items(set_to(status="on_hold"))),
    ),
    "unknown_currency": Mode(
        help="Has the currency ZZZ.", behavior=spoiling(set_to(currency="ZZZ"))
    ),
    "text_price": Mode(
        help="Has prices as text.", behavior=spoiling(in_prices(set_to(net="72.00")))
    ),
    "negative_price": Mode(
        help="Has negative prices.", behavior=spoiling(in_prices(set_to(net=-1)))
    ),
    "many_places": Mode(
        help="Has a price of 30 decimal places.",
        behavior=rewriting(
            lambda text: text.replace(b'"net": ', b'"net": 0.' + b"1" * 30 + b', "was": ')
        ),
    ),
    "bad_date": Mode(
        help="Has a date that is none.", behavior=spoiling(set_to(placed_at="2021-13-41"))
    ),
    "local_date": Mode(
        help="Has times without a zone.", behavior=spoiling(set_to(placed_at="2021-11-22T12:51:39"))
    ),
    "empty_id": Mode(help="Has an empty id.", behavior=spoiling(set_to(origin_id=""))),
    "cash_on_delivery": Mode(
        help="Has a method of payment that the contract has not.",
        behavior=spoiling(
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
    "refuse": Mode(help="Takes no connections.", behavior=faults.hang, listens=False),
    "silent": Mode(help="Takes connections and reads nothing.", behavior=faults.hang, reads=False),
    "hang": Mode(help="Reads the request and never answers.", behavior=faults.hang),
    "headers_then_hang": Mode(help="Sends headers and no more.", behavior=faults.headers_then_hang),
    "drip_status": Mode(help="Sends a byte a second from the start.", behavior=faults.drip_status),
    "drip_headers": Mode(help="Sends headers, a byte a second.", behavior=faults.drip_headers),
    "drip_body": Mode(help="Sends the body, a byte a second.", behavior=faults.drip_body),
    "drip_chunks": Mode(help="Sends a chunk of one byte a second.", behavior=faults.drip_chunks),
    "hang_up": Mode(help="Closes the connection without a word.", behavior=faults.hang_up),
    "reset": Mode(help="Resets the connection.", behavior=faults.reset),
    "reset_in_body": Mode(help="Resets the connection in the body.", behavior=faults.reset_in_body),
    "close_in_body": Mode(help="Closes the connection in the body.", behavior=faults.close_in_body),
    "short_length": Mode(help="Announces half of the body.", behavior=claiming("{half}")),
    "long_length": Mode(help="Announces more than it sends.", behavior=claiming("{more}")),
    "huge_length": Mode(
        help="Announces a petabyte, and sends little.", behavior=claiming(f"{10**15}")
    ),
    "negative_length": Mode(help="Announces -1 bytes.", behavior=claiming("-1")),
    "word_length": Mode(help="Announces a length that is no number.", behavior=claiming("much")),
    "two_lengths": Mode(
        help="Announces two lengths.", behavior=claiming("{half}\r\nContent-Length: {more}")
    ),
    "endless_chunks": Mode(
        help="Sends chunks without end.",
        behavior=endless(CHUNKED, b"400\r\n" + b" " * 1024 + b"\r\n"),
    ),
    "endless_trailers": Mode(
        help="Sends trailers without end.",
        behavior=endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-More: %b\r\n" % (b"x" * 1024)),
    ),
    "huge_chunk": Mode(
        help="Announces a chunk of 8 exabytes.", behavior=raw(CHUNKED, b"7fffffffffffffff\r\n{}")
    ),
    "negative_chunk": Mode(
        help="Announces a chunk of -1 bytes.", behavior=endless(CHUNKED + b"-1\r\n", b" " * 65536)
    ),
    "bad_chunk": Mode(
        help="Has a chunk whose length is no number.", behavior=raw(CHUNKED, b"zz\r\n{}\r\n")
    ),
    "long_chunk_line": Mode(
        help="Has a chunk extension without end.", behavior=endless(CHUNKED + b"2;", b"x" * 65536)
    ),
    "both_framings": Mode(
        help="Announces a length and chunks.",
        behavior=raw(
            OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"
        ),
    ),
    "junk": Mode(help="Sends random bytes.", behavior=faults.junk),
    "no_http": Mode(help="Sends JSON without any headers.", behavior=raw(b'{"orders": []}')),
    "bad_status": Mode(
        help="Has a status that is no number.", behavior=raw(b"HTTP/1.1 OK 200\r\n\r\n{}")
    ),
    "status_999": Mode(help="Has the status 999.", behavior=raw(b"HTTP/1.1 999 What\r\n\r\n{}")),
    "bad_headers": Mode(
        help="Has headers that are none.", behavior=raw(OK + b"no colon\r\n\0: x\r\n\r\n{}")
    ),
    "continue_storm": Mode(
        help="Answers 100 Continue for ever.",
        behavior=endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ),
    "early_hints": Mode(
        help="Answers 103 Early Hints for ever.",
        behavior=endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ),
    "many_headers": Mode(help="Has headers without end.", behavior=endless(OK, b"X-More: yes\r\n")),
    "huge_header": Mode(
        help="Has a header without end.", behavior=endless(OK + b"X-More: ", b"x" * 65536)
    ),
    "huge_status": Mode(
        help="Has a status line without end.", behavior=endless(b"HTTP/1.1 200 ", b"x" * 65536)
    ),
    "huge": Mode(help="Sends a body of 100 MB.", behavior=faults.huge),
    "huge_without_length": Mode(
        help="Sends 100 MB unannounced.", behavior=faults.huge_without_length
    ),
    "bomb": Mode(help="Sends 100 kB of gzip that become 100 MB.", behavior=faults.bomb),
    "tls_self_signed": Mode(
        help="Vouches for itself.", behavior=answers.good, certificate="self_signed"
    ),
    "tls_expired": Mode(
        help="Has a certificate of yesterday.", behavior=answers.good, certificate="expired"
    ),
    "tls_wrong_name": Mode(
        help="Has a certificate of another host.", behavior=answers.good, certificate="wrong_name"
    ),
    "tls_old": Mode(help="Knows no TLS but 1.0.", behavior=answers.good, certificate="old"),
}
MODES: Final[dict[str, Mode]] = {**ON_TIME, **REFUSING, **SPOILED, **BROKEN}
