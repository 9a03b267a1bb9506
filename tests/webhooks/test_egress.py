"""Tests of outbound requests: every answer or failure comes within the deadline."""

import logging
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager

import pytest

from tests.webhooks import oms as fake
from webhooks import dialing, egress
from webhooks.egress import (
    AnswerBroken,
    AnswerTooLarge,
    DestinationRefused,
    EgressFailed,
    NotTrusted,
    TimedOut,
    Unreachable,
)
from webhooks.fake_oms import certificates
from webhooks.fake_oms.modes import BROKEN, MODES, ON_TIME, REFUSING, SPOILED

DEADLINE = 0.6
SLACK = 0.5
SECRET = "fake-oms-key"
FAILURES = {
    "refuse": Unreachable,
    "silent": TimedOut,
    "hang": TimedOut,
    "headers_then_hang": TimedOut,
    "drip_status": TimedOut,
    "drip_headers": TimedOut,
    "drip_body": TimedOut,
    "drip_chunks": TimedOut,
    "hang_up": AnswerBroken,
    "reset": AnswerBroken,
    "reset_in_body": AnswerBroken,
    "close_in_body": AnswerBroken,
    "long_length": AnswerBroken,
    "huge_length": AnswerBroken,
    "negative_length": AnswerBroken,
    "word_length": AnswerBroken,
    "two_lengths": AnswerBroken,
    "endless_chunks": AnswerTooLarge,
    "endless_trailers": AnswerTooLarge,
    "huge_chunk": AnswerBroken,
    "negative_chunk": AnswerTooLarge,
    "bad_chunk": AnswerBroken,
    "long_chunk_line": AnswerBroken,
    "junk": AnswerBroken,
    "no_http": AnswerBroken,
    "bad_status": AnswerBroken,
    "continue_storm": AnswerTooLarge,
    "early_hints": AnswerBroken,
    "many_headers": AnswerBroken,
    "huge_header": AnswerTooLarge,
    "huge_status": AnswerTooLarge,
    "huge": AnswerTooLarge,
    "huge_without_length": AnswerTooLarge,
    "tls_self_signed": NotTrusted,
    "tls_expired": NotTrusted,
    "tls_wrong_name": NotTrusted,
    "tls_old": NotTrusted,
}
# Odd but valid answers; the caller decides about them.
ANSWERS = {
    **dict.fromkeys([*ON_TIME, *SPOILED], 200),
    **{name: int("".join(filter(str.isdigit, name)) or 302) for name in REFUSING},
    **dict.fromkeys(("short_length", "both_framings", "bad_headers", "bomb"), 200),
    "flapping": 503,  # every other call, including the first
    "status_999": 999,
}


@pytest.fixture(scope="module")
def chameleon():
    """Return one fake OMS for all modes with plain http; each test sets its mode."""
    with fake.running("good", "--seconds", "0.2") as oms:
        yield oms


@pytest.fixture
def being(chameleon, fake_oms, settings):
    """Return `being(mode)`, which returns a trusted fake OMS of that mode."""

    def being(mode):
        if MODES[mode].certificate or not MODES[mode].listens or not MODES[mode].reads:
            return fake_oms(mode)  # it cannot change its mode
        settings.EGRESS_ALLOWED_HOSTS = [chameleon.allowed_host]
        chameleon.become(mode)
        return chameleon

    return being


@pytest.fixture
def trusting(monkeypatch):
    """Return `trusting(file)`, which replaces the system's authorities by those in the file."""

    def trusting(authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        dialing._trust.cache_clear()

    yield trusting
    dialing._trust.cache_clear()


def ask(oms, target="/orders/ADA-001", **options):
    return egress.send(
        "GET",
        oms.url + target,
        headers={"Authorization": f"Bearer {SECRET}"},
        **({"deadline": DEADLINE, "allows_http": True} | options),
    )


def test_every_mode_is_expected_to_fail_or_to_answer():
    assert FAILURES.keys() | ANSWERS.keys() == MODES.keys()
    assert not FAILURES.keys() & ANSWERS.keys()
    assert FAILURES.keys() <= BROKEN.keys()


@pytest.mark.parametrize("mode", FAILURES)
def test_a_bad_answer_is_one_kind_of_failure_in_time(mode, being, trusting, caplog):
    oms = being(mode)
    if mode in ("tls_expired", "tls_wrong_name"):
        trusting(oms.authority)  # so that the authority is not the fault

    began = time.monotonic()
    with pytest.raises(EgressFailed) as failed:
        ask(oms)
    took = time.monotonic() - began

    assert type(failed.value) is FAILURES[mode]
    assert took < DEADLINE + SLACK
    assert failed.value.__cause__ is None
    for text in (str(failed.value), repr(failed.value), caplog.text):
        assert SECRET not in text
        assert "ADA-001" not in text


@pytest.mark.parametrize("mode", ANSWERS)
def test_any_other_answer_comes_back_as_it_is(mode, being, trusting):
    oms = being(mode)
    if oms.authority:
        trusting(oms.authority)

    before = len(oms.asked()) if not oms.authority else 0
    answer = ask(oms, deadline=5)

    assert answer.status == ANSWERS[mode]
    if not oms.authority:
        assert len(oms.asked()) == before + 1  # no redirect, no retry
    if mode == "slow":
        assert 0.2 < answer.seconds < 1


def test_a_bomb_stays_as_small_as_it_was_sent(being):
    answer = ask(being("bomb"), deadline=10)

    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 200_000


def test_headers_are_found_in_any_case(being):
    answer = ask(being("429_soon"))

    assert answer.headers["RETRY-AFTER"] == answer.headers["retry-after"] == "5"
    assert "set-cookie" not in answer.headers


def test_a_body_of_just_the_size_is_read_and_one_more_byte_refused_or_cut(being):
    oms = being("good")
    size = len(ask(oms).body)

    assert len(ask(oms, max_body=size).body) == size
    with pytest.raises(AnswerTooLarge):
        ask(oms, max_body=size - 1)
    assert len(ask(oms, max_body=size - 1, cuts=True).body) == size - 1


@pytest.mark.parametrize("mode", ["huge", "huge_without_length", "endless_chunks"])
def test_whoever_wants_only_the_beginning_gets_it(mode, being):
    answer = ask(being(mode), max_body=1000, cuts=True)

    assert answer.status == 200
    assert 0 < len(answer.body) <= 1000


def test_tls_proves_the_name_that_was_asked_for_not_the_address(being, trusting, settings):
    oms = being("tls")
    trusting(oms.authority)
    settings.EGRESS_ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

    for host in ("localhost", "127.0.0.1"):
        oms.url = f"https://{host}:{oms.allowed_host.partition(':')[2]}"
        assert ask(oms, deadline=5).status == 200


def test_a_host_that_never_shakes_hands_is_out_of_time(being):
    oms = being("silent")

    with pytest.raises(TimedOut):
        egress.send("GET", oms.url.replace("http:", "https:"), headers={}, deadline=DEADLINE)


def test_plain_http_needs_the_tenants_permission_even_to_a_trusted_host(being):
    oms = being("good")
    before = oms.connections()

    with pytest.raises(DestinationRefused):
        ask(oms, allows_http=False)
    assert oms.connections() == before


@contextmanager
def listener(
    answer=b"HTTP/1.1 204 No Content\r\n\r\n", context=None, sips=False, until=b"\r\n\r\n"
):
    """Serve one connection, and yield its address and the bytes that were read."""
    received = bytearray()
    enough = threading.Event()

    def serve():
        line, _ = door.accept()
        if context:
            line = context.wrap_socket(line, server_side=True)
        with line:
            while not enough.is_set():
                if sips:
                    received.extend(line.recv(65536))
                    enough.wait(0.05)
                else:
                    received.extend(line.recv(65536))
                    if until in received:
                        line.sendall(answer)
                        return

    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{door.getsockname()[1]}", received
        finally:
            enough.set()
            thread.join()


def test_a_host_that_speaks_no_tls_is_not_trusted(settings):
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n", until=b"") as (host, _):
        settings.EGRESS_ALLOWED_HOSTS = [host]

        with pytest.raises(NotTrusted, match="does not speak TLS"):
            egress.send("GET", f"https://{host}/", headers={}, deadline=5)


def test_nothing_is_said_but_what_we_mean(settings, monkeypatch, tmp_path):
    dead = "http://127.0.0.1:9"
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead)
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login eve password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with listener(until=b"\r\n\r\n{}") as (host, received):
        settings.EGRESS_ALLOWED_HOSTS = [host]

        answer = egress.send(
            "POST",
            f"http://{host}/base/orders?consumer_email=a%40b.c",
            headers={"X-Api-Key": "k"},
            body=b"{}",
            deadline=5,
            allows_http=True,
        )

    assert (answer.status, answer.body) == (204, b"")
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    request, *headers = head.decode().split("\r\n")
    assert request == "POST /base/orders?consumer_email=a%40b.c HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Connection: close",
        "Content-Length: 2",
        f"Host: {host}",
        "User-Agent: ordermgmt",
        "X-Api-Key: k",
    ]
    assert body == b"{}"


@pytest.mark.parametrize("safely", [False, True])
def test_a_receiver_that_sips_cannot_hold_us(safely, settings, tmp_path, trusting):
    context = certificates.context("good", tmp_path) if safely else None
    if safely:
        trusting(tmp_path / "authority.pem")
    with listener(context=context, sips=True) as (host, _):
        settings.EGRESS_ALLOWED_HOSTS = [host]
        url = f"https://{host}/" if safely else f"http://{host}/"

        began = time.monotonic()
        with pytest.raises(TimedOut):
            egress.send(
                "POST",
                url,
                headers={},
                body=bytes(20_000_000),
                deadline=DEADLINE,
                allows_http=True,
            )
        assert time.monotonic() - began < DEADLINE + SLACK


def test_whoever_answers_before_all_is_sent_is_heard(settings):
    answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    with listener(answer) as (host, _):
        settings.EGRESS_ALLOWED_HOSTS = [host]

        answered = egress.send(
            "POST", f"http://{host}/", headers={}, body=bytes(65536), deadline=5, allows_http=True
        )

    assert answered.status == 413


def test_the_systems_authorities_are_asked_for_a_name_and_a_certificate():
    context = dialing._trust()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_urllib3_logs_no_addresses(settings):
    assert logging.getLogger("urllib3.connection").getEffectiveLevel() >= logging.ERROR
