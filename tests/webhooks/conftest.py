"""Fixtures of a fake OMS that outbound requests may reach."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.webhooks import oms


@pytest.fixture
def fake_oms(settings: Any) -> Iterator[Callable[..., oms.Oms]]:
    """Return `fake_oms(mode="good", *options)`, which starts a process and allows its address."""
    with ExitStack() as running:

        def start(mode: str = "good", *options: str) -> oms.Oms:
            started = running.enter_context(oms.running(mode, *options))
            settings.EGRESS_ALLOWED_HOSTS = [*settings.EGRESS_ALLOWED_HOSTS, started.allowed_host]
            return started

        yield start
