"""The locked requirements install anywhere, from whatever index the machine uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def pinned(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE))


def wanted(source: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9-]*)", source.read_text(), re.MULTILINE))


def test_there_are_locks():
    assert {lock.stem for lock in LOCKS} == {"base", "embedded", "dev", "uv"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_address_of_an_index(lock):
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_by_hash(lock):
    entries = re.split(r"\n(?=[a-z0-9])", lock.read_text())

    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_what_its_source_asks_for(lock):
    assert wanted(lock.with_suffix(".in")) <= pinned(lock)
