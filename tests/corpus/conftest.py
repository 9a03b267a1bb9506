"""Fixture of a new tenant for every row."""

import pytest

from tests.corpus.target import Target


@pytest.fixture
def target(db: None) -> Target:
    return Target()
