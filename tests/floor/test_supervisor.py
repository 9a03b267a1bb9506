"""The supervisor restarts what dies and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import pytest

from ordermgmt.launcher import supervisor as supervising
from ordermgmt.launcher.processes import kill_group, spawn, stop, wait_until
from ordermgmt.launcher.supervisor import Program, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True);"
    "time.sleep(60)",
]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(60)",
]
OWNER = (
    "import pathlib, sys, time\n"
    "from ordermgmt.launcher.processes import spawn\n"
    "child = spawn(['sleep', '60'], log=pathlib.Path(sys.argv[1]))\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(lines, monkeypatch):
    monkeypatch.setattr(supervising, "SHORTEST_PAUSE", 0.1)
    watcher = Supervisor(say=lines.append)
    yield watcher
    watcher.__exit__()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def look_until(watcher: Supervisor, condition) -> bool:
    return wait_until(lambda: watcher.look_after_all() or condition(), timeout=10)


def test_what_dies_is_started_again_with_growing_pauses(supervisor, lines, tmp_path):
    program = Program("sleeper", SLEEP, tmp_path / "log")
    supervisor.start(program)
    pids = [program.child.pid]

    for _ in range(3):
        os.kill(program.child.pid, signal.SIGKILL)
        assert look_until(supervisor, lambda: program.child.pid not in pids)
        pids.append(program.child.pid)

    assert is_alive(pids[-1])
    pauses = [
        float(line.partition(" again in ")[2].split()[0]) for line in lines if "SIGKILL" in line
    ]
    assert pauses == sorted(set(pauses))
    assert len(pauses) == 3


def test_what_the_dead_left_behind_is_killed_before_the_restart(supervisor, tmp_path):
    program = Program("parent", WITH_CHILD, tmp_path / "log")
    supervisor.start(program)
    assert wait_until(lambda: program.log.read_text().endswith("\n"), timeout=10)
    leftover = int(program.log.read_text())

    os.kill(program.child.pid, signal.SIGKILL)

    assert look_until(supervisor, lambda: not is_alive(leftover))


def test_a_program_that_does_not_listen_is_killed(tmp_path):
    child = spawn(STUBBORN, log=tmp_path / "log")
    assert wait_until(lambda: "ready" in (tmp_path / "log").read_text(), timeout=10)

    stop(child, patience=0.2)

    assert child.returncode == -signal.SIGKILL


def test_a_child_dies_with_its_parent_however_that_ends(tmp_path):
    command = [sys.executable, "-c", OWNER, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        child = int(owner.stdout.readline())
        assert is_alive(child)

        owner.kill()

    assert wait_until(lambda: not is_alive(child), timeout=5)


def test_programs_are_stopped_last_started_first(tmp_path, monkeypatch):
    stopped = []
    monkeypatch.setattr(Program, "stop", lambda program: stopped.append(program.name))
    watcher = Supervisor(say=print)
    for name in ("web", "worker"):
        program = Program(name, SLEEP, tmp_path / name)
        watcher.start(program)
        kill_group(program.child)

    watcher.__exit__()

    assert stopped == ["worker", "web"]


def test_a_large_log_is_put_aside(tmp_path):
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * 20_000_001)

    spawn(["true"], log=log).wait()

    assert log.stat().st_size == 0
    assert (tmp_path / "web.old.log").stat().st_size == 20_000_001


def test_a_signal_ends_the_watch(tmp_path):
    script = (
        "from ordermgmt.launcher.supervisor import Supervisor\n"
        "with Supervisor(say=print) as watcher:\n"
        "    print('watching', flush=True)\n"
        "    watcher.watch()\n"
        "print('done', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "watching\n"
    began = time.monotonic()

    process.terminate()

    assert process.communicate()[0] == "done\n"
    assert time.monotonic() - began < 5


def test_what_fails_to_start_is_tried_again_soon_and_ever_less_often(supervisor, lines, tmp_path):
    class Failing(Program):
        attempts: ClassVar[list[float]] = []

        def start(self):
            if self.child is None:
                super().start()
                return
            self.attempts.append(supervisor._records[self.name].pause)
            if len(self.attempts) < 3:
                raise RuntimeError("not yet")
            super().start()

    program = Failing("database", SLEEP, tmp_path / "log")
    supervisor.start(program)
    os.kill(program.child.pid, signal.SIGKILL)

    assert look_until(supervisor, lambda: any("runs again" in line for line in lines))
    assert program.attempts == [0.5, 1.0, 2.0]
