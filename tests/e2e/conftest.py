"""One running stack for all end-to-end tests, which xdist gives to one worker."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """`./run up` with the demo tenant, ready. Tests may kill its children, not change its demo."""
    with running_stack() as running:
        yield running
