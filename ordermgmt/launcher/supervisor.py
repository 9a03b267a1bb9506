"""A supervisor of programs: it starts them in order, restarts and stops them."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ordermgmt.launcher.processes import kill_group, private_logs, spawn, stop

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between a death and the restart
PROVEN = 60.0  # seconds of life after which an earlier death is forgotten


class Supervised(Protocol):
    """A process to keep running: an embedded server, or a Program."""

    name: str
    log: Path
    child: subprocess.Popen[bytes] | None

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Program:
    """A command of ours that runs until it is told to stop, and dies when we do."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        private_logs(self.log.parent)
        # Killed with us, not asked: rows and acknowledgments make a sudden death harmless.
        self.child = spawn(
            self.argv,
            log=self.log,
            death_signal=signal.SIGKILL,
            env={**os.environ, **self.environment},
        )

    def stop(self) -> None:
        if self.child is not None:
            stop(self.child)
            self.child = None


@dataclass
class _Record:
    """The state of a program between two looks."""

    born: float
    pause: float = SHORTEST_PAUSE / 2  # doubled by the first death already
    restart_at: float | None = None


class Supervisor:
    """Runs programs until SIGINT or SIGTERM. Use it in the main thread, as a context manager."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._adopted: list[Supervised] = []
        self._running: list[Supervised] = []
        self._records: dict[str, _Record] = {}
        self._asked_to_stop = threading.Event()

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._asked_to_stop.set())
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, last started first."""
        for program in reversed(self._running):
            program.stop()

    @property
    def is_stopping(self) -> bool:
        return self._asked_to_stop.is_set()

    def adopt(self, program: Supervised) -> None:
        """Look after a program that is running already, but leave stopping it to its owner."""
        self._records[program.name] = _Record(born=time.monotonic())
        self._adopted.append(program)

    def start(self, program: Supervised) -> None:
        """Start a program and look after it."""
        program.start()
        self._running.append(program)
        self._records[program.name] = _Record(born=time.monotonic())

    def watch(self) -> None:
        """Restart what dies, until a signal asks us to stop."""
        while not self._asked_to_stop.wait(0.2):
            self.look_after_all()

    def look_after_all(self) -> None:
        """Look at every program once: note deaths, and restart those with a finished pause."""
        for program in [*self._adopted, *self._running]:
            self._look_after(program, self._records[program.name], time.monotonic())

    def _look_after(self, program: Supervised, record: _Record, now: float) -> None:
        if record.restart_at is None:
            if program.child is None or program.child.poll() is None:
                return
            kill_group(program.child)
            record.pause = (
                SHORTEST_PAUSE
                if now - record.born > PROVEN
                else min(record.pause * 2, LONGEST_PAUSE)
            )
            record.restart_at = now + record.pause
            self._say(
                f"{program.name} ended ({_how(program.child.returncode)}); it starts again in "
                f"{record.pause:.1f} s. Its log: {program.log}"
            )
        elif now >= record.restart_at:
            record.born, record.restart_at = now, None
            self._restart(program, record)

    def _restart(self, program: Supervised, record: _Record) -> None:
        try:
            program.start()
        except (OSError, RuntimeError) as reason:
            self._say(f"{program.name} did not start: {reason}")
            record.pause = min(record.pause * 2, LONGEST_PAUSE)
            record.restart_at = time.monotonic() + record.pause
        else:
            self._say(f"{program.name} runs again.")


def _how(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name
