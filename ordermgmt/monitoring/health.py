"""Health endpoints: liveness, readiness and metrics."""

import math
import os
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Final

import prometheus_client
import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ordermgmt.monitoring import gauges, heartbeat


class NotReady(Exception):
    """A check failed; the message is for operators."""


def live(request: HttpRequest) -> HttpResponse:
    """Answer `/healthz`, without asking any other process."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """Answer `/readyz`: 200 when orders can be captured, otherwise 503, with each check's result.

    Broker, worker, beat and gauges are reported but not required, because work without them only
    happens later. A gauge with a label shows its largest number only, because the page is public.
    """
    results = {name: _result(check) for name, (check, _) in CHECKS.items()}
    failed = [name for name, (_, needed) in CHECKS.items() if needed and results[name] != "ok"]
    numbers_by_gauge = {}
    for gauge, numbers in () if failed else gauges.readings():
        most = numbers_by_gauge[gauge.name] = round(max(numbers.values()), 1)
        if math.isfinite(gauge.limit):
            results[gauge.name] = "ok" if most <= gauge.limit else f"{most} > {gauge.limit}"
    status = "unavailable" if failed else "ok"
    body = {"status": status, "checks": results, "gauges": numbers_by_gauge}
    return JsonResponse(body, status=503 if failed else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer `/metrics` for Prometheus: the counts of all web processes, and the gauges."""
    registry = prometheus_client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    page = prometheus_client.generate_latest(registry) + _gauges()
    return HttpResponse(page, content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _gauges() -> bytes:
    """Return the gauges in Prometheus's text format, read for this request.

    Prometheus's own gauges would show one value per web process.
    """
    registry = prometheus_client.CollectorRegistry()
    for gauge, numbers in gauges.readings():
        labels = [gauge.label] if gauge.label else []
        family = GaugeMetricFamily(f"ordermgmt_{gauge.name}", gauge.help, labels=labels)
        for value, number in numbers.items():
            family.add_metric([value][: len(labels)], number)
        registry.register(_Shown(family))
    return prometheus_client.generate_latest(registry)


class _Shown(Collector):
    """A collector of one metric."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


def _result(check: Callable[[], None]) -> str:
    try:
        check()
    except (NotReady, DatabaseError, InterfaceError, redis.RedisError, OSError) as fault:
        # Only the class name, because this page is public and messages name hosts.
        return str(fault) if isinstance(fault, NotReady) else type(fault).__name__
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    """Raise NotReady while migrations wait; later calls skip the look-up once all are applied."""
    if _applied:
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"{len(waiting)} migrations are not applied")
    _applied.append(True)


def _broker() -> None:
    broker().ping()


def _hears(name: str) -> None:
    seconds = heartbeat.silence(name)
    if seconds is None:
        raise NotReady("not seen yet")
    if seconds > heartbeat.SILENT:
        raise NotReady(f"silent for {seconds:.0f} s")


@cache
def broker() -> redis.Redis:
    """Return a client of the broker with a timeout of one second."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


_applied: Final[list[bool]] = []
# Name → the check, and whether `/readyz` requires it.
CHECKS: Final[dict[str, tuple[Callable[[], None], bool]]] = {
    "database": (_database, True),
    "migrations": (_migrations, True),
    "broker": (_broker, False),
    "worker": (partial(_hears, heartbeat.WORKER), False),
    "beat": (partial(_hears, heartbeat.BEAT), False),
}
