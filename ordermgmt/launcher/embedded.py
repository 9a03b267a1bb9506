"""A private PostgreSQL and Valkey with secrets of their own, for newcomers and tests.

`python -m ordermgmt.launcher.embedded COMMAND…` runs a command with the servers of the data folder:
those that are running, or a pair started for it. Standard library only: settings import this.
"""

import base64
import contextlib
import hashlib
import json
import os
import secrets as random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from ordermgmt.launcher.processes import FileLock, die_with_parent, wait_until
from ordermgmt.launcher.servers import DATABASE, ROLE, CannotStart, Postgres, Server, Valkey, owners

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_PATH = 107  # bytes, a limit of the kernel
UP = "up"


class Secrets(TypedDict):
    """The secrets of an installation."""

    SECRET_KEY: str
    ENCRYPTION_KEYS: list[str]


def read_env(path: str | Path) -> None:
    """Read the file into the environment, which wins; ignore a missing file."""
    import environ

    try:
        environ.Env.read_env(path)
    except UnicodeDecodeError:
        raise CannotStart(f"{path} is not UTF-8: save it as such.") from None


def data_dir(setting: str = "") -> Path:
    """Return the data folder: `setting`, ORDERMGMT_DATA_DIR or ./var."""
    chosen = setting or os.environ.get("ORDERMGMT_DATA_DIR") or ROOT / "var"
    return Path(chosen).expanduser().resolve()


def secrets(data_dir: Path) -> Secrets:
    """Return the secrets of this data folder, generated on first use only."""
    with writable(data_dir):
        return _secrets(data_dir)


@contextlib.contextmanager
def writable(data_dir: Path) -> Iterator[None]:
    """Raise CannotStart where the data folder cannot be made or written."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as reason:
        raise CannotStart(
            f"{data_dir} cannot hold our data ({reason.strerror}). "
            "Name a folder that can be made and written: --data-dir or ORDERMGMT_DATA_DIR."
        ) from None


def _secrets(data_dir: Path) -> Secrets:
    path = data_dir / "secrets.json"
    if not path.exists():
        draft = data_dir / f"secrets.{os.getpid()}.{random.token_hex(4)}"
        key = base64.b64encode(random.token_bytes(32)).decode()
        values: Secrets = {"SECRET_KEY": random.token_urlsafe(64), "ENCRYPTION_KEYS": [f"1:{key}"]}
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(values, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # somebody was faster: theirs counts
            os.link(draft, path)
        draft.unlink()
    stored: Secrets = json.loads(path.read_text())
    return stored


def socket_dir(data_dir: Path) -> Path:
    """Return the folder of the sockets: the data folder, or /tmp when its path is too long."""
    own = data_dir / "run"
    if len(os.fsencode(own / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        return own
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(f"/tmp/ordermgmt-{os.geteuid()}-{digest}")  # noqa: S108 - 0700, and checked


def database_url(data_dir: Path) -> str:
    """Return the URL of this data folder's embedded PostgreSQL."""
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket_dir(data_dir)))}"


def redis_url(data_dir: Path, *, db: int = 0) -> str:
    """Return the URL of this data folder's embedded Valkey."""
    return f"unix://{quote(str(socket_dir(data_dir) / 'valkey.sock'))}?db={db}"


def embedded_servers(data_dir: Path, *, durable: bool = True) -> list[Server]:
    """Return the embedded servers, except those that DATABASE_URL or REDIS_URL replaces."""
    wanted: list[type[Server]] = []
    wanted += [] if os.environ.get("DATABASE_URL") else [Postgres]
    wanted += [] if os.environ.get("REDIS_URL") else [Valkey]
    sockets = socket_dir(data_dir)
    return [
        kind(data=data_dir, sockets=sockets, logs=data_dir / "log", durable=durable)
        for kind in wanted
    ]


class Use:
    """Our use of a data folder's servers, which several commands may share.

    Who comes first owns them: it starts them, and stops them after the others are done.
    `servers` is empty for everybody but the owner. Three locks tell the truth, whoever is killed:
    `use` (shared by all users), `owner` (held by the owner), and one in each server's own hands.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._all = embedded_servers(data_dir, durable=durable)
        self.servers: list[Server] = []
        self._folders = [data_dir, socket_dir(data_dir)]
        self._use = FileLock(data_dir / "use.lock")
        self._owner = FileLock(data_dir / "owner.lock")

    def begin(self) -> None:
        """Return when the servers answer. Raise CannotStart when they will not."""
        _make_private(self._folders)
        self._use.take(shared=True)
        if not wait_until(self._own_or_share, timeout=60):
            raise CannotStart("The servers another command is starting here do not come up.")

    def _own_or_share(self) -> bool:
        """Start the servers if nobody owns them; else say whether the owner has."""
        if not self._owner.try_to_take():
            return self._owner.read() == UP and all(server.is_ready() for server in self._all)
        self._owner.write("")  # the last owner may have been killed with its note in place
        for server in self._all:
            self.servers.append(server)
            server.start()
        self._owner.write(UP)
        return True

    def end(self, *, wait_for_others: bool = True) -> None:
        """Stop the servers if they are ours, by default not before everybody else is done."""
        self._use.release()
        if self.servers and wait_for_others:
            self._use.take()
        for server in reversed(self.servers):
            server.stop()
        self.servers = []
        self._owner.close()
        self._use.close()


@contextlib.contextmanager
def running(
    data_dir: Path, *, durable: bool = True, wait_for_others: bool = True
) -> Iterator[list[Server]]:
    """Run the servers of this data folder, and yield those that we own."""
    with writable(data_dir):
        use = Use(data_dir, durable=durable)
    try:
        use.begin()
        yield use.servers
    finally:
        use.end(wait_for_others=wait_for_others)


def _make_private(folders: list[Path]) -> None:
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.is_symlink() or folder.stat().st_uid not in owners():
            raise CannotStart(f"{folder} belongs to somebody else.")


def main(command: list[str]) -> int:
    """Run `command` beside the servers and return its exit status."""
    try:
        read_env(os.environ.get("ORDERMGMT_ENV_FILE", ROOT / ".env"))
        folder = data_dir()
        os.environ["ORDERMGMT_DATA_DIR"] = str(folder)
        with running(folder):
            return _run(command)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before there was a command to decide
        return 128 + signal.SIGINT


def _run(command: list[str]) -> int:
    me = os.getpid()
    child = subprocess.Popen(
        command,
        preexec_fn=lambda: die_with_parent(me, signal.SIGTERM),
    )
    # Ctrl-C goes to the command as well: it decides, we wait.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["env"]))
