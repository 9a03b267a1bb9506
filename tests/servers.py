"""One throw-away PostgreSQL and Valkey for the whole test run (an early plugin: see addopts).

It must be loaded by `-p`: pytest-django reads the settings before any conftest. xdist's workers
inherit the environment and share the servers, each with databases of its own. To test against a
PostgreSQL of yours, name it in TEST_DATABASE_URL.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from ordermgmt.launcher import embedded

WORKER = os.environ.get("PYTEST_XDIST_WORKER")


class ThrowAwayServers:
    """The servers of this run, in a folder of their own that goes with them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ordermgmt-test-"))
        os.environ.pop("REDIS_URL", None)
        os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
        self.use = embedded.Use(self.folder, durable=False)
        os.environ |= {
            "ORDERMGMT_ENV_FILE": os.devnull,  # a developer's .env is not for tests
            "ORDERMGMT_DATA_DIR": str(self.folder),
            "DATABASE_URL": os.environ["DATABASE_URL"] or embedded.database_url(self.folder),
            "DEBUG": "false",
        }

    def pytest_configure(self, config: pytest.Config) -> None:
        if not config.option.collectonly:
            self.use.begin()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self.use.end(wait_for_others=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The first hook there is; settings are read soon after."""
    if WORKER is None:
        pluginmanager.register(ThrowAwayServers())
    number = 0 if WORKER is None else int(WORKER.removeprefix("gw")) + 1
    folder = embedded.data_dir()
    os.environ["REDIS_URL"] = embedded.redis_url(folder, db=2 * number)
    os.environ["CACHE_URL"] = embedded.redis_url(folder, db=2 * number + 1)
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.json anew")
