"""The command `./run up`: database, broker, web, worker, beat and a demo tenant."""

import errno
import http.client
import json
import os
import shutil
import socket
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console

from ordermgmt.launcher import embedded, preparation
from ordermgmt.launcher.processes import FileLock
from ordermgmt.launcher.servers import CannotStart
from ordermgmt.launcher.supervisor import Program, Supervisor
from ordermgmt.launcher.welcome import welcome
from ordermgmt.management.base import OneLineCommand

PATIENCE = 60  # seconds until the web server must have answered
WORKER_LIMITS = {"DATABASE_STATEMENT_TIMEOUT": "30000", "DATABASE_IDLE_TIMEOUT": "30000"}


class Command(OneLineCommand):
    help = "Run everything, until Ctrl-C: database, broker, web, worker, clock, and a demo tenant."
    requires_system_checks = ()  # they need the database, which does not run yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
        parser.add_argument("--port", type=_port, default=8000, help="and there (%(default)s)")
        parser.add_argument(
            "--data-dir", type=_named, help="for data (ORDERMGMT_DATA_DIR, or ./var)"
        )
        parser.add_argument("--workers", type=_count, default=2, help="web processes (%(default)s)")
        parser.add_argument("--no-demo", action="store_true", help="leave the demo tenant out")
        parser.add_argument("--fresh", action="store_true", help="forget all data first")

    def handle(self, *args: Any, **options: Any) -> None:
        _restart_in(options["data_dir"])
        console = Console(highlight=False)
        folder: Path = settings.DATA_DIR
        url = _url(options["host"], options["port"])
        with embedded.writable(folder):
            lock = _only_one(folder, url)
        _require_free(options["host"], options["port"])
        if options["fresh"]:
            _forget(folder)
        try:
            with (
                embedded.running(folder, wait_for_others=False) as servers,
                Supervisor(say=lambda text: console.print(text, soft_wrap=True)) as supervisor,
            ):
                for server in servers:
                    supervisor.adopt(server)
                self._run(supervisor, console, url, options)
        except CannotStart as reason:
            raise CommandError(str(reason)) from reason
        finally:
            lock.close()

    def _run(
        self, supervisor: Supervisor, console: Console, url: str, options: dict[str, Any]
    ) -> None:
        folder: Path = settings.DATA_DIR
        started = time.monotonic()
        with console.status("preparing the database"):
            preparation.migrate()
        with console.status("gathering static files"):
            preparation.collect_static()
        with console.status("starting the programs"):
            web, *others = _programs(folder, options)
            supervisor.start(web)
            facts = {} if options["no_demo"] else preparation.demo()
            if not _wait_for(url, supervisor, web):
                return
            for program in others:
                supervisor.start(program)
        welcome(console, url=url, data_dir=folder, demo=facts)
        console.print(f"Started in {time.monotonic() - started:.1f} s.", style="dim")
        supervisor.watch()
        console.print("Stopping.", style="dim")


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ArgumentTypeError(f"{text!r} is no port: give one of 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise ArgumentTypeError(f"{text!r} will not do: give 1 or more")
    return int(text)


def _named(text: str) -> str:
    if not text:
        raise ArgumentTypeError("give the name of a folder")
    return text


def _restart_in(data_dir: str | None) -> None:
    """Restart in the folder of --data-dir, because settings were read before our options."""
    if data_dir and embedded.data_dir(data_dir) != settings.DATA_DIR:
        os.environ["ORDERMGMT_DATA_DIR"] = str(embedded.data_dir(data_dir))
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - ourselves


def _url(host: str, port: int) -> str:
    address = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{address}:{port}"


def _only_one(folder: Path, url: str) -> FileLock:
    """Lock the folder, or refuse and name the address of the running `up`."""
    lock = FileLock(folder / "up.lock")
    if not lock.try_to_take():
        other = json.loads(lock.read() or "{}")
        raise CommandError(
            f"It is already running: {other.get('url')} (process {other.get('pid')}, data in "
            f"{folder}). For a second one give another --data-dir and --port."
        )
    lock.write(json.dumps({"pid": os.getpid(), "url": url}))
    return lock


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as reason:
            hint = f"Choose another: --port {port + 1}." if reason.errno == errno.EADDRINUSE else ""
            raise CommandError(
                f"Cannot listen on {host} port {port}: {os.strerror(reason.errno or 0)}. {hint}"
            ) from reason


def _forget(folder: Path) -> None:
    """Remove the embedded servers' data; refuse a folder that is not ours or in use."""
    if os.environ.get("DATABASE_URL"):
        raise CommandError("--fresh forgets the embedded database only; DATABASE_URL is not ours.")
    use = FileLock(folder / "use.lock")
    if not use.try_to_take():
        raise CommandError(f"--fresh: another command is using the database in {folder}.")
    for name in ("postgres", "valkey"):
        shutil.rmtree(folder / name, ignore_errors=True)
    use.close()


def _programs(folder: Path, options: dict[str, Any]) -> list[Program]:
    logs = folder / "log"
    celery = [sys.executable, "-m", "celery", "-A", "ordermgmt.celery"]
    web = [sys.executable, "-m", "ordermgmt.launcher.web", "--workers", str(options["workers"])]
    web += ["--host", options["host"], "--port", str(options["port"])]
    web += ["--static-path-route", "/static", "--static-path-mount", str(settings.STATIC_ROOT)]
    worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel", "INFO", "--pidfile", ""]
    # The web processes share these counters; those of an earlier run are removed.
    metrics = folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    counting = {"ORDERMGMT_SUPERVISED": "1", "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    return [
        Program("web", web, logs / "web.log", counting),
        Program("worker", worker, logs / "worker.log", WORKER_LIMITS),
        Program("beat", beat, logs / "beat.log", WORKER_LIMITS),
    ]


def _wait_for(url: str, supervisor: Supervisor, web: Program) -> bool:
    """Wait until the web server is ready; return false when a signal stops us meanwhile."""
    end = time.monotonic() + PATIENCE
    answer = ""
    while not supervisor.is_stopping:
        try:
            answer = _ask_readiness(url)
        except OSError as reason:
            answer = str(reason)
        if not answer:
            return True
        if time.monotonic() > end:
            raise CommandError(f"{url}/readyz is not well: {answer}\nSee {web.log}")
        supervisor.look_after_all()
        time.sleep(0.05)
    return False


def _ask_readiness(url: str) -> str:
    """Return the failed checks; empty when the answer is 200."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read(2000).decode(errors="replace")
        return "" if response.status == 200 else f"{response.status} {body}"
    finally:
        connection.close()
