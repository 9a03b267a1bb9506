"""The embedded servers recover from any crash and are shared by commands."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ordermgmt.launcher import embedded, servers
from ordermgmt.launcher.processes import wait_until


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own, for servers of its own."""
    for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
        monkeypatch.delenv(name, raising=False)
    path = Path(tempfile.mkdtemp(prefix="ordermgmt-floor-"))
    monkeypatch.setenv("ORDERMGMT_DATA_DIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(embedded.socket_dir(path), ignore_errors=True)


def ask(folder: Path, sql: str) -> str:
    with psycopg.connect(embedded.database_url(folder), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return str(cursor.fetchone()[0]) if cursor.description else ""


BORN = "SELECT pg_postmaster_start_time()"
SAY_BORN = (
    "import os, pathlib, time, psycopg\n"
    "from ordermgmt.launcher import embedded\n"
    "with psycopg.connect(embedded.database_url(embedded.data_dir())) as connection:\n"
    f"    print(connection.execute('{BORN}').fetchone()[0], flush=True)\n"
    "    while not pathlib.Path(os.environ['UNTIL']).exists(): time.sleep(0.02)\n"
    "    connection.execute('SELECT 1')\n"
)


@pytest.fixture
def command(folder: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Start a command beside the servers: it says when they were born, and uses them until the
    file named is in the folder."""
    with contextlib.ExitStack() as started:

        def start(until: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "ordermgmt.launcher.embedded",
                    sys.executable,
                    "-c",
                    SAY_BORN,
                ],
                env={**os.environ, "UNTIL": str(folder / until)},
                stdout=subprocess.PIPE,
                text=True,
                cwd=embedded.ROOT,
            )
            started.enter_context(process)  # closes its pipe and waits for it
            started.callback(process.kill)
            return process

        yield start


def output_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def postmaster(folder: Path) -> int:
    return int((folder / "postgres/postmaster.pid").read_text().splitlines()[0])


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_what_was_committed_survives_the_owner_being_killed(folder, command):
    owner = command("never")
    assert output_line(owner)
    ask(folder, "CREATE TABLE kept AS SELECT 42 AS answer")
    server = postmaster(folder)

    owner.kill()
    owner.wait()

    assert wait_until(lambda: not is_alive(server), timeout=10)
    with embedded.running(folder):
        assert ask(folder, "SELECT answer FROM kept") == "42"


def test_a_killed_server_recovers(folder):
    with embedded.running(folder) as owned:
        ask(folder, "CREATE TABLE kept AS SELECT 42 AS answer")
        postgres = owned[0]
        assert postgres.child
        os.kill(postgres.child.pid, signal.SIGKILL)
        postgres.child.wait()

        postgres.start()

        assert ask(folder, "SELECT answer FROM kept") == "42"


def test_the_pid_file_of_a_dead_server_is_no_obstacle_even_if_the_pid_lives(folder):
    with embedded.running(folder):
        pass
    lines = [str(os.getppid()), str(folder / "postgres"), "1", "5432", str(folder / "run"), "", ""]
    (folder / "postgres/postmaster.pid").write_text("\n".join([*lines, "ready   \n"]))

    with embedded.running(folder):
        assert ask(folder, "SELECT 1") == "1"


def test_a_half_made_database_is_made_anew(folder):
    half_made = folder / "postgres.making"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")

    with embedded.running(folder):
        assert ask(folder, "SELECT current_user") == "ordermgmt"
    assert not half_made.exists()


def test_the_application_is_not_a_superuser(folder):
    with embedded.running(folder):
        superuser = ask(folder, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")

    assert superuser == "False"


def test_commands_share_servers_and_the_owner_waits_for_the_others(folder, command):
    first = command("first may end")
    born = output_line(first)
    second = command("second may end")

    assert output_line(second) == born

    (folder / "first may end").touch()
    time.sleep(0.5)
    assert first.poll() is None  # it owns the servers the second one uses
    (folder / "second may end").touch()
    assert (first.wait(20), second.wait(20)) == (0, 0)
    assert not (folder / "postgres/postmaster.pid").exists()


def test_of_two_that_start_at_once_one_starts_the_servers(folder, command):
    (folder / "now").touch()
    both = [command("now") for _ in range(2)]

    assert [process.wait(60) for process in both] == [0, 0]
    log = (folder / "log/postgres.log").read_text()
    overlapping = len({output_line(process) for process in both}) == 1
    assert log.count("is ready to accept connections") == (1 if overlapping else 2)


def test_a_deep_folder_gets_its_sockets_elsewhere(folder):
    deep = folder / ("d" * 60) / ("e" * 60)

    with embedded.running(deep):
        assert ask(deep, "SELECT 1") == "1"

    sockets = embedded.socket_dir(deep)
    assert sockets.parent == Path("/tmp")
    assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(folder, monkeypatch):
    monkeypatch.setattr(embedded, "owners", lambda: {os.geteuid() + 1})

    with pytest.raises(servers.CannotStart, match="belongs to somebody else"):
        embedded.Use(folder).begin()


def test_secrets_are_made_once_and_readable_by_nobody_else(folder):
    with ThreadPoolExecutor(8) as pool:
        secrets = [json.dumps(secret) for secret in pool.map(embedded.secrets, [folder] * 8)]

    assert len(set(secrets)) == 1
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secrets.json"]


def test_servers_of_ones_own_are_not_started(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")

    assert [server.name for server in embedded.embedded_servers(folder)] == ["valkey"]


def test_without_namespaces_root_becomes_somebody_who_must_reach_the_folder(folder, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(servers, "_namespaces_work", lambda: False)
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))

    with pytest.raises(servers.CannotStart, match="--data-dir"):
        servers._unprivileged(folder)
