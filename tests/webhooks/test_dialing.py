"""Tests of dialing: only checked addresses are connected, within the deadline."""

import ipaddress
import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.floor.test_destinations import INSIDE, OUTSIDE
from webhooks import dialing, egress, names
from webhooks.egress import DestinationRefused, TimedOut, Unreachable

PUBLIC = "93.184.215.14"


def addresses(hosts):
    """Return the hosts that are addresses; the others are refused without a look-up."""
    addresses = []
    for host in hosts:
        with suppress(ValueError):
            addresses.append(str(ipaddress.ip_address(host.strip("[]").replace("%25", "%"))))
    return addresses


@pytest.fixture
def dialed(monkeypatch):
    """Record the addresses of connection attempts, all of which fail."""
    dialed = []

    def refuse(line, address):
        dialed.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return dialed


@pytest.fixture
def dns(monkeypatch):
    """Return `dns(first, second, …)`, which sets the resolver's answers and returns its queries."""

    def say(*answers):
        questions, waiting = [], list(answers)

        def getaddrinfo(host, *args, **kwargs):
            questions.append(host)
            return [
                (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, 0))
                for address in waiting.pop(0)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return questions

    return say


def ask(url="https://oms.example.com/orders/1", **options):
    return egress.send("GET", url, headers={}, **({"deadline": 5} | options))


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_the_inside_is_dialed(host, dialed):
    with pytest.raises(DestinationRefused):
        ask(f"https://{host}/orders/1")
    assert dialed == []


@pytest.mark.parametrize("address", addresses(INSIDE))
def test_a_name_of_the_inside_is_not_dialed(address, dns, dialed):
    dns([address])

    with pytest.raises(DestinationRefused, match=r"^oms\.example\.com is not at a public address"):
        ask()
    assert dialed == []


@pytest.mark.parametrize("address", addresses(OUTSIDE))
def test_a_name_of_the_outside_is_dialed_by_its_address(address, dns, dialed):
    dns([address])

    with pytest.raises(Unreachable):
        ask()
    assert dialed == [(address, 443)]


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC]])
def test_one_address_inside_is_enough_to_refuse(addresses, dns, dialed):
    dns(addresses)

    with pytest.raises(DestinationRefused):
        ask()
    assert dialed == []


def test_a_name_that_turns_inward_is_asked_once_and_the_checked_address_dialed(dns, dialed):
    questions = dns([PUBLIC], ["127.0.0.1"])

    with pytest.raises(Unreachable):
        ask()
    assert questions == ["oms.example.com"]
    assert dialed == [(PUBLIC, 443)]


def test_an_answer_is_not_kept_for_whoever_asks_after_it(dns, monkeypatch):
    pending = []

    class Watched(names.Future):
        def set_result(self, addresses):
            pending.append(dict(names._pending))
            super().set_result(addresses)

    monkeypatch.setattr(names, "Future", Watched)
    dns([PUBLIC])
    names.look_up("oms.example.com", seconds=5)

    assert pending == [{}]


def test_a_trusted_host_may_be_inside_but_only_as_it_was_named(settings, dns, dialed):
    settings.EGRESS_ALLOWED_HOSTS = ["erp.internal:8443", "oms.example.com"]
    dns(["10.0.0.1"], ["10.0.0.1"])

    for url in ("https://erp.internal:8443/", "https://oms.example.com:9000/"):
        with pytest.raises(Unreachable):
            ask(url)
    with pytest.raises(DestinationRefused):
        ask("https://erp.internal/")
    assert dialed == [("10.0.0.1", 8443), ("10.0.0.1", 9000)]


@pytest.mark.parametrize(
    "url", ["http://oms.example.com/", "https://oms.example.com:6379/", "https://a@example.com/"]
)
def test_what_could_not_be_configured_is_not_sent_to(url, dns, dialed):
    questions = dns()

    with pytest.raises(DestinationRefused):
        ask(url)
    assert (questions, dialed) == ([], [])


def test_the_other_addresses_of_a_host_are_tried_but_not_too_many(dns, dialed):
    addresses = [f"93.184.215.{number}" for number in range(20)]
    dns(addresses)

    with pytest.raises(Unreachable, match="Connection refused"):
        ask()
    assert [address for address, _ in dialed] == addresses[: dialing.MOST_ADDRESSES]


def test_an_address_that_swallows_everything_leaves_time_for_the_next(dns, monkeypatch):
    waits = []

    def connect(line, address):
        waits.append((address[0], line.gettimeout()))
        if len(waits) == 1:
            time.sleep(line.gettimeout())
            raise TimeoutError
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", connect)
    dns([PUBLIC, "2606:4700:4700::1111"])

    with pytest.raises(Unreachable):
        ask(deadline=0.4)
    (first, first_wait), (second, second_wait) = waits
    assert (first, second) == (PUBLIC, "2606:4700:4700::1111")
    assert first_wait == pytest.approx(0.2, abs=0.05)
    assert second_wait == pytest.approx(0.2, abs=0.05)


def test_a_name_without_address_is_unreachable(monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(Unreachable, match=r"^oms\.example\.com has no address\.$"):
        ask()


def test_a_resolver_that_hangs_costs_one_thread_and_no_more_than_the_deadline(monkeypatch):
    answered = threading.Event()
    queries = []

    def hang(host, *args, **kwargs):
        queries.append(host)
        answered.wait(30)
        return [(socket.AF_INET, 1, 6, "", ("10.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(
                TimedOut, match=r"^oms\.example\.com did not answer within 0\.2 sec"
            ):
                ask(deadline=0.2)
            assert time.monotonic() - began < 0.7
        assert queries == ["oms.example.com"]
        assert [t.name for t in threading.enumerate()].count("dns oms.example.com") == 1
    finally:
        answered.set()

    with pytest.raises(DestinationRefused):  # the next look-up works again
        ask()
    assert "oms.example.com" not in names._pending


def test_a_small_request_is_not_held_back(fake_oms):
    oms = fake_oms()
    parts = dialing.destinations.check_url(oms.url, allows_http=True)

    with dialing.dial(parts, ends_at=time.monotonic() + 5) as line:
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
