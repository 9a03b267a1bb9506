"""A real `./run up` process with its own data folder and port."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ordermgmt.launcher.processes import spawn, stop

ROOT = Path(__file__).resolve().parents[2]
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "CACHE_URL", "PYTEST_XDIST_WORKER"}


@dataclass
class Stack:
    """A running stack; `kill`, `processes` and `log` serve tests of failures."""

    options: Sequence[str] = ()
    data_dir: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ordermgmt-e2e-")))
    port: int = field(default_factory=lambda: free_port())
    launcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        inherited = {key: os.environ[key] for key in os.environ.keys() - NOT_INHERITED}
        return inherited | {"ORDERMGMT_DATA_DIR": str(self.data_dir)}

    def start(self, *, timeout: float = 90) -> float:
        """Run `./run up` and wait until it is ready; the seconds that took."""
        began = time.monotonic()
        command = [ROOT / "run", "up", "--port", str(self.port), *self.options]
        self.launcher = spawn(command, log=self.data_dir / "up.log", env=self.env)
        while not self.is_ready():
            if self.launcher.poll() is not None or time.monotonic() - began > timeout:
                raise AssertionError(f"./run up is not ready:\n{self.output()}{self.log('web')}")
            time.sleep(0.05)
        return time.monotonic() - began

    def is_ready(self) -> bool:
        """Return whether GET /readyz answers 200."""
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        """A GET without a token: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def manage(self, *words: str) -> str:
        """Return the output of `./run manage …`, which must succeed."""
        command = [str(ROOT / "run"), "manage", *words]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage_json(self, *words: str) -> Any:
        """Return the parsed output of `./run manage … --json`."""
        return json.loads(self.manage(*words, "--json"))

    def output(self) -> str:
        """Return the output of `./run up` so far."""
        path = self.data_dir / "up.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log(self, name: str) -> str:
        """The log of web, worker, beat, postgres or valkey so far."""
        path = self.data_dir / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def processes(self, containing: str = "") -> dict[int, str]:
        """Every process of this stack, launcher included: its id and command line."""
        mark = f"ORDERMGMT_DATA_DIR={self.data_dir}".encode()
        values = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                # Valkey writes its title over its environment, but names the folder there.
                ours = mark in (folder / "environ").read_bytes() or str(self.data_dir) in command
                if ours and containing in command and int(folder.name) != os.getpid():
                    values[int(folder.name)] = command
        return values

    def children(self, containing: str, *, of: int | None = None) -> list[int]:
        """The processes a process (by default the launcher) started, by their command line."""
        assert self.launcher is not None
        parent = of or self.launcher.pid
        return sorted(pid for pid in self.processes(containing) if _parent(pid) == parent)

    def kill(self) -> None:
        """The launcher dies without a chance to clean up."""
        assert self.launcher is not None
        os.kill(self.launcher.pid, signal.SIGKILL)
        self.launcher.wait()

    def stop(self) -> None:
        """Interrupt it as Ctrl-C does."""
        if self.launcher is not None:
            stop(self.launcher, ask=signal.SIGINT, patience=30)

    def remove(self) -> None:
        """Stop it, make sure nothing is left, and forget its data."""
        self.stop()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.data_dir, ignore_errors=True)


@contextlib.contextmanager
def running_stack(*options: str) -> Iterator[Stack]:
    """A stack that is ready, and is gone afterwards."""
    stack = Stack(options)
    try:
        stack.start()
        yield stack
    finally:
        stack.remove()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
