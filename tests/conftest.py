"""Rules for every test: no network beyond this machine, slow tests only on request."""

import ipaddress
import socket
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Each on one worker: they share what is slow.
TOGETHER = ("tests/e2e/", "tests/floor/test_up.py", "tests/console/browser/")
_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


class Outside(RuntimeError):
    """A test tried to reach the network."""


def _refuse_outside(line: socket.socket, address: Any) -> None:
    """Only unix sockets and this machine's own addresses; names must be resolved by the test."""
    if line.family in {socket.AF_INET, socket.AF_INET6}:
        host = str(address[0])
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise Outside(f"Tests must not connect to {host}.")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that would leave this machine fails the test that makes it."""

    def connect(line: socket.socket, address: Any) -> None:
        _refuse_outside(line, address)
        _connect(line, address)

    def connect_ex(line: socket.socket, address: Any) -> int:
        _refuse_outside(line, address)
        return _connect_ex(line, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)


class OneByOneButTogether(LoadScopeScheduling):
    """Every test goes to whichever worker is free, but some files' tests all to the same."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOneButTogether | None:
    """In place of --dist loadgroup, whose marks this xdist cannot pass on with this pytest."""
    return OneByOneButTogether(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked slow run with --slow, or when asked for by name."""
    if config.getoption("slow") or any("::" in word for word in config.args):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
