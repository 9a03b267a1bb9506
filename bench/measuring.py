"""One measurement: load for some seconds, and its cost in processor time."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Final

from bench.client import Plan, Seen

_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """The results of one kind of request on some connections; times in milliseconds."""

    connections: int
    rate: float  # requests a second
    p50: float
    p95: float
    p99: float
    requests: int
    failures: dict[str, int]
    first_failure: str
    app_cpu: float  # a request
    database_cpu: float  # a request
    client_cpu: float  # a request
    slowest: float | None = None  # the rate of the slowest round, where there were several


def measure(plan: Plan, *, web: int, database: int) -> tuple[Measured, int]:
    """Carry out a plan in a process of its own; also the first number it left unused.

    `web` and `database` are the process ids of the servers whose processor time is counted.
    """
    command = [sys.executable, "-m", "bench.client"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as client:
        assert client.stdin
        assert client.stdout
        try:
            client.stdin.write(json.dumps(asdict(plan)) + "\n")
            client.stdin.flush()
            json.loads(client.stdout.readline())
            before = tree_cpu(web), tree_cpu(database)
            client.stdin.write("go\n")
            client.stdin.flush()
            load = Seen(**json.loads(client.stdout.readline()))
            after = tree_cpu(web), tree_cpu(database)
        except BaseException:
            client.kill()
            raise
    app, storage = (b - a for a, b in zip(before, after, strict=True))
    return _summed_up(plan.connections, load, app, storage), load.next


def best(measurements: Sequence[Measured]) -> Measured:
    """Return the fastest, least disturbed measurement, with the failures of all."""
    failures: Counter[str] = Counter()
    for each in measurements:
        failures.update(each.failures)
    first = next((each.first_failure for each in measurements if each.first_failure), "")
    fastest = max(measurements, key=lambda each: each.rate)
    slowest = min(each.rate for each in measurements)
    return replace(fastest, failures=dict(failures), first_failure=first, slowest=slowest)


def pooled(measurements: Sequence[Measured]) -> Measured:
    """Return the average of the measurements, with the sum of their failures."""
    average = {
        name: fmean(getattr(each, name) for each in measurements)
        for name in ("rate", "p50", "p95", "p99", "app_cpu", "database_cpu", "client_cpu")
    }
    requests = sum(each.requests for each in measurements)
    return replace(best(measurements), requests=requests, **average)


def percentile(ordered: Sequence[int], share: float) -> float:
    """Return the nearest-rank percentile `share` of the sorted values; 0 for no values."""
    if not ordered:
        return 0.0
    return float(ordered[math.ceil(share * len(ordered)) - 1])


def _summed_up(connections: int, load: Seen, app: float, database: float) -> Measured:
    latencies = sorted(load.latencies)
    number = len(latencies)
    each = 1000 / max(1, number)  # seconds in all → milliseconds a request
    p50, p95, p99 = (percentile(latencies, share) / 1000 for share in (0.5, 0.95, 0.99))
    return Measured(
        connections=connections,
        rate=number / load.elapsed,
        p50=p50,
        p95=p95,
        p99=p99,
        requests=number,
        failures=load.failures,
        first_failure=load.first_failure,
        app_cpu=each * app,
        database_cpu=each * database,
        client_cpu=each * load.cpu,
    )


def tree_cpu(root: int) -> float:
    """Seconds of processor a process and all below it have used, those that ended included."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = sum(map(int, fields[11:15])) / _TICK
    family = {root}
    while children := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= children
    return sum(used.get(pid, 0.0) for pid in family)
