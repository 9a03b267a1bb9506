"""A real installation in a folder of its own: durable database, cache, and web as in `up`."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from bench import bodies
from configuration import keys, services
from configuration.models import Client, Tenant
from configuration.services import clients, locations, service_levels, tenants
from ordermgmt.launcher import embedded, preparation
from ordermgmt.launcher.processes import wait_until
from ordermgmt.launcher.servers import CannotStart, Postgres
from ordermgmt.launcher.supervisor import Program
from ordermgmt.management.commands import up

TENANT: Final = "bench"
HOST: Final = "127.0.0.1"
SETTINGS: Final[dict[str, Any]] = {
    "sales_order_generator_sequence": {"prefix": "NS", "size": 9, "start": 1, "step": 1},
    "on_hold_timer_duration": 900,
}


@dataclass(frozen=True)
class Stage:
    """The measured installation, and the addresses and credentials to reach it."""

    tenant: Tenant
    port: int
    client_id: str
    client_secret: str
    web: Program
    worker: Program  # not started: most measurements are about the web
    beat: Program  # nor is this
    postgres: Postgres

    @property
    def host(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pids(self) -> dict[str, int]:
        """Return the ids of the measured processes: the first ones of web server and database."""
        assert self.web.child
        assert self.postgres.child
        return {"web": self.web.child.pid, "database": self.postgres.child.pid}

    def token(self) -> str:
        """Return a fresh token, requested over HTTP and valid for five minutes."""
        form = (
            "grant_type=client_credentials"
            f"&client_id={self.client_id}&client_secret={self.client_secret}"
        )
        path = f"/auth/realms/{TENANT}/protocol/openid-connect/token"
        kind = "application/x-www-form-urlencoded"
        answer = json.loads(_request(self.port, "POST", path, form, {"Content-Type": kind}))
        return str(answer["access_token"])

    def ask(self, raw: str) -> Any:
        """Send one prepared request and return its answer's JSON; it must be a 200."""
        head, _, body = raw.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        return json.loads(_request(self.port, method, path, body, headers))


@contextlib.contextmanager
def stage(folder: Path, *, workers: int = 2) -> Iterator[Stage]:
    """Serve a tenant made for it from `folder`, which must be the one Django's settings name."""
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(embedded.running(folder, wait_for_others=False))
        postgres = next((server for server in servers if isinstance(server, Postgres)), None)
        if postgres is None:
            raise CannotStart(f"Somebody else is using {folder}; measure in a folder of its own.")
        tenant, rotation = _prepare()
        programs = web, worker, beat = _programs(folder, port := _free_port(), workers)
        for program in programs:
            stack.callback(program.stop)
        web.start()
        if not wait_until(lambda: _is_ready(port) or _has_ended(web), timeout=60) or _has_ended(
            web
        ):
            tail = web.log.read_text(errors="replace").splitlines()[-20:]
            raise CannotStart("\n".join(["The web server does not come up:", *tail]))
        credentials = rotation.client.client_id, rotation.secret
        yield Stage(tenant, port, *credentials, web, worker, beat, postgres)


def serve_anew(stage: Stage) -> None:
    """Start the web server again, with what the environment says now."""
    stage.web.stop()
    stage.web.start()
    if not wait_until(lambda: _is_ready(stage.port), timeout=60):
        raise CannotStart(f"The web server does not come up again: see {stage.web.log}")


def _prepare() -> tuple[Tenant, clients.WithSecret]:
    """Tables, a tenant that is ready to capture, and a client whose secret we know."""
    preparation.migrate()
    tenant = Tenant.objects.filter(slug=TENANT).first() or tenants.create(TENANT)
    locations.put(tenant=tenant, code="DC-EAST", type="dc", country_codes=["US"])
    service_levels.put(tenant=tenant, identifier=bodies.SERVICE_LEVEL)
    for name, value in SETTINGS.items():
        key = keys.find(name)
        services.write(tenant, key, key.parse(value), actor="command:bench")
    client = Client.objects.filter(tenant=tenant).first()
    if client is None:
        return tenant, clients.create(tenant=tenant, name="load")
    return tenant, clients.rotate(client.client_id)


def _programs(folder: Path, port: int, workers: int) -> list[Program]:
    """Web server, worker and beat, with the very options `up` gives them."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    options = {"host": HOST, "port": port, "workers": workers}
    programs: list[Program] = up._programs(folder, options)
    return programs


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _has_ended(program: Program) -> bool:
    return program.child is None or program.child.poll() is not None


def _is_ready(port: int) -> bool:
    try:
        _request(port, "GET", "/readyz", "", {})
    except (OSError, RuntimeError, http.client.HTTPException):
        return False
    return True


def _request(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> bytes:
    line = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        line.request(method, path, body.encode() or None, headers)
        answer = line.getresponse()
        content = answer.read()
    finally:
        line.close()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {content[:500]!r}")
    return content
