"""Answers, events and texts of problems, compared with the stored files.

After a deliberate change: `./run test tests/golden --update-golden`, then read the diff.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.session import Session, play

FILES = Path(__file__).parent


@pytest.fixture
def session(db: None) -> Session:
    return play()


def check(request: pytest.FixtureRequest, name: str, value: Any) -> None:
    """Compare a value with its file, or write the file with `--update-golden`."""
    path = FILES / f"{name}.json"
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("update_golden"):
        path.write_text(text)
    assert text == path.read_text(), f"{path.name} differs: see the module's first lines"


def test_answers(request: pytest.FixtureRequest, session: Session):
    check(request, "answers", session.answers)


def test_undocumented_texts(request: pytest.FixtureRequest, session: Session):
    check(request, "texts", session.texts)


def test_events(request: pytest.FixtureRequest, session: Session):
    check(request, "events", session.events())
