"""Whether this process lives, whether it can serve, and what it counted."""

import os
from collections.abc import Callable
from functools import cache
from typing import Final

import prometheus_client
import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import multiprocess


class NotReady(Exception):
    """A check failed; the message is for operators."""


def live(request: HttpRequest) -> HttpResponse:
    """`/healthz`: this process answers. It asks nobody else."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """`/readyz`: 200 when orders can be taken in, else 503; each check with its result.

    The broker is reported but not needed: without it everything still happens, later.
    """
    results = {name: _result(check) for name, (check, _) in CHECKS.items()}
    failed = [name for name, (_, needed) in CHECKS.items() if needed and results[name] != "ok"]
    status = "unavailable" if failed else "ok"
    return JsonResponse({"status": status, "checks": results}, status=503 if failed else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics`: what all web processes counted together, for Prometheus."""
    registry = prometheus_client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    page = prometheus_client.generate_latest(registry)
    return HttpResponse(page, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _result(check: Callable[[], None]) -> str:
    try:
        check()
    except (NotReady, DatabaseError, InterfaceError, redis.RedisError, OSError) as fault:
        # The kind only: this page is public, and messages name hosts.
        return str(fault) if isinstance(fault, NotReady) else type(fault).__name__
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    """Once all are applied they stay so for the life of this process."""
    if _applied:
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"{len(waiting)} migrations are not applied")
    _applied.append(True)


def _broker() -> None:
    broker().ping()


@cache
def broker() -> redis.Redis:
    """The broker, with a second to answer."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


_applied: Final[list[bool]] = []
# Name → the check, and whether we are useless without it.
CHECKS: Final[dict[str, tuple[Callable[[], None], bool]]] = {
    "database": (_database, True),
    "migrations": (_migrations, True),
    "broker": (_broker, False),
}
