"""The locked requirements install from any package index."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = {
    "anyio",
    "greenlet",
    "setuptools",
}  # used when they happen to be there, not missed when not
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def pinned(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE))


def wanted(source: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9-]*)", source.read_text(), re.MULTILINE))


def test_there_are_locks():
    assert {lock.stem for lock in LOCKS} == {"base", "embedded", "dev", "sdk", "uv"}


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


EVERYTHING = """
import os, sys, importlib.metadata as metadata
os.environ["DJANGO_SETTINGS_MODULE"] = "ordermgmt.settings"
import django
django.setup()
import celery.bin.celery, celery.bin.worker, celery.bin.beat, granian.cli, ordermgmt.urls
import django.core.cache.backends.redis, django.db.backends.postgresql.base
from ordermgmt.celery import app
app.loader.import_default_modules()
app.connection().transport
owners = metadata.packages_distributions()
print(*{name for module in list(sys.modules) for name in owners.get(module.partition(".")[0], ())})
"""


def test_what_runs_needs_nothing_that_only_developers_install():
    """A missing line of base.in hides behind a test tool that happens to bring the package."""
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {re.sub(r"[-_.]+", "-", name).lower() for name in done.stdout.split()}

    assert loaded - pinned(ROOT / "requirements/base.lock") <= OPTIONAL
