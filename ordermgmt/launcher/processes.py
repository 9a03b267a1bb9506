"""Child processes that end with their parent, and file locks (Linux, stdlib only)."""

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LARGE_LOG = 20_000_000  # bytes; a larger one is put aside before a start, and replaces the last
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: a forked child must not load anything


def die_with_parent(parent: int, death_signal: int = signal.SIGKILL) -> None:
    """Make the kernel send us `death_signal` when `parent` ends, however it ends.

    To be called in the child. The kernel watches the *thread* that forked us, so a parent must
    start its children from a thread that lives as long as itself.
    """
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it died before this call
        os.kill(os.getpid(), death_signal)


def private_logs(folder: Path) -> None:
    """Make a folder for logs that only we can read, also those that are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for log in folder.glob("*.log"):
        log.chmod(0o600)


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    death_signal: int = signal.SIGTERM,
    lock: int | None = None,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    group: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a process group of its own, its output appended to `log`.

    `lock` is a locked file descriptor the child and everything it forks will hold: it is free
    again only when all of them are gone.
    """
    me = os.getpid()
    if log.exists() and log.stat().st_size > LARGE_LOG:
        log.replace(log.with_suffix(".old.log"))

    def in_the_child() -> None:
        die_with_parent(me, death_signal)

    with open(log, "ab", opener=private) as output:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=in_the_child,
            start_new_session=True,
            pass_fds=[] if lock is None else [lock],
            env=None if env is None else dict(env),
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )


def private(path: str, flags: int) -> int:
    """Open a file that nobody else can read; for `open(…, opener=private)`."""
    return os.open(path, flags, 0o600)


def stop(
    child: subprocess.Popen[bytes], *, ask: int = signal.SIGTERM, patience: float = 10
) -> None:
    """Terminate a child, wait, then kill its process group; return when it has ended."""
    with suppress(ProcessLookupError):
        child.send_signal(ask)
    with suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    kill_group(child)


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and the rest of its process group; return when the child has ended."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_until(condition: Callable[[], Any], *, timeout: float, pause: float = 0.02) -> bool:
    """Return whether `condition` became true within `timeout` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


class FileLock:
    """An flock: held by us and the children it is passed to, free when all of them are gone."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, shared: bool = False) -> None:
        """Wait for it as long as it takes."""
        fcntl.flock(self.fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def try_to_take(self) -> bool:
        """Take it alone if nobody has it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let others have it. Children that hold it keep it: see `close`."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def write(self, note: str) -> None:
        """Leave a note for others that find the lock taken."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, note.encode(), 0)

    def read(self) -> str:
        """Return the note of the present or last holder."""
        return os.pread(self.fd, 4096, 0).decode()

    def close(self) -> None:
        """Forget our copy; the lock stays with the children it was passed to."""
        os.close(self.fd)
