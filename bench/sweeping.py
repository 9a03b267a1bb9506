"""Sweep benchmark: two processes release due holds, two others write the same in SQL.

`python -m bench.sweeping release|write` is one such process; `sweep` starts them and compares.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bench.judging import Result
    from bench.measuring import Measured
    from bench.stage import Stage

PROCESSES: Final = 2
BATCH: Final = 200  # as the sweep has it
LONGEST: Final = 60.0  # seconds that 10,000 may take
# What the sweep writes of one batch, by one statement and without looking at anything: the hold,
# the order, its items, and rows of timeline and outbox as the sweep wrote them of the order named.
_WRITE: Final = """
WITH b AS (
  SELECT id, order_id FROM orders_hold WHERE released_at IS NULL AND due_at <= now()
  ORDER BY due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), h AS (
  UPDATE orders_hold SET released_at = now() FROM b WHERE orders_hold.id = b.id
), o AS (
  UPDATE orders_order SET status = 'open', version = version + 3
    FROM b WHERE orders_order.id = b.order_id RETURNING orders_order.*
), i AS (
  UPDATE orders_item i SET status = 'in_fulfillment', location_code = 'DC-EAST',
         location_type = 'dc' FROM b WHERE i.order_id = b.order_id
), t AS (
  INSERT INTO orders_timelineentry (tenant_id, order_id, version, at, actor, verb, facts)
  SELECT o.tenant_id, o.id, s.version, now(), s.actor, s.verb, s.facts
    FROM o CROSS JOIN orders_timelineentry s WHERE s.order_id = %(like)s AND s.version > 2
), e AS (
  INSERT INTO webhooks_event (tenant_id, uuid, name, subject, version, published_at, payload)
  SELECT o.tenant_id, gen_random_uuid(), s.name, o.uuid, s.version, now(), s.payload
    FROM o CROSS JOIN webhooks_event s
   WHERE s.subject = (SELECT uuid FROM orders_order WHERE id = %(like)s) AND s.version > 2
)
SELECT count(*) FROM b
"""


@dataclass(frozen=True)
class Run:
    """The joint results of the processes."""

    number: int  # orders
    seconds: float
    batches: Sequence[float]  # milliseconds each
    cpu: float  # seconds of the processes
    database_cpu: float

    @property
    def rate(self) -> float:
        return self.number / self.seconds


def sweep(stage: "Stage", number: int, load: Callable[[int, int], None]) -> "Result":
    """Release `number` orders, then write as many plainly; `load` makes some that wait."""
    from bench.judging import Aim, Result, Row
    from bench.pgbench import Yardstick
    from orders.models import TimelineEntry

    load(0, number)
    released = _together(stage, "release")
    like = TimelineEntry.objects.filter(verb="routed").latest("id").order_id
    load(number, number)
    written = _together(stage, "write", like=like)
    row = Row(
        "release what is due",
        _measured(released),
        Yardstick(written.rate, 1000 * written.database_cpu / written.number),
    )
    missing = number - released.number
    aims = [
        Aim("all that was due is released", released.number, missing <= 0),
        Aim(f"10,000 in {LONGEST:.0f} s", 10_000 / released.rate, 10_000 / released.rate < LONGEST),
        Aim("at least 0.2 of plain SQL's rate", row.ratio or 0, (row.ratio or 0) >= 0.2),
        Aim("no batch longer than 2 s (ms)", max(released.batches), max(released.batches) < 2000),
    ]
    return Result("sweep", [row], aims)


def _measured(run: Run) -> "Measured":
    from bench.measuring import Measured

    shares = quantiles(run.batches, n=100) if len(run.batches) > 1 else [run.batches[0]] * 99
    return Measured(
        connections=PROCESSES,
        rate=run.rate,
        p50=shares[49],
        p95=shares[94],
        p99=shares[98],
        requests=run.number,
        failures={},
        first_failure="",
        app_cpu=1000 * run.cpu / run.number,
        database_cpu=1000 * run.database_cpu / run.number,
        client_cpu=0.0,
    )


def _together(stage: "Stage", what: str, **params: Any) -> Run:
    """Run processes that begin together and end when nothing is left."""
    from django.db import connection

    from bench.measuring import tree_cpu

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "UPDATE orders_hold SET due_at = now() - interval '1 s' WHERE released_at IS NULL"
        )
        cursor.execute("VACUUM (ANALYZE) orders_hold")
    assert stage.postgres.child
    postgres = stage.postgres.child.pid
    with ExitStack() as stack:
        children = [stack.enter_context(_child(what, params)) for _ in range(PROCESSES)]
        before = tree_cpu(postgres)
        for child in children:
            _say(child, "go")
        answers = [_hear(child) for child in children]
        database_cpu = tree_cpu(postgres) - before
    return Run(
        number=sum(answer["number"] for answer in answers),
        seconds=max(answer["seconds"] for answer in answers),
        batches=[batch for answer in answers for batch in answer["batches"]],
        cpu=sum(answer["cpu"] for answer in answers),
        database_cpu=database_cpu,
    )


def _child(what: str, params: dict[str, Any]) -> "subprocess.Popen[str]":
    """Return a process that is ready and ends when its input does."""
    command = [sys.executable, "-m", "bench.sweeping", what, json.dumps(params)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    _hear(child)
    return child


def _say(child: "subprocess.Popen[str]", word: str) -> None:
    assert child.stdin
    child.stdin.write(f"{word}\n")
    child.stdin.flush()


def _hear(child: "subprocess.Popen[str]") -> Any:
    assert child.stdout
    line = child.stdout.readline()
    if not line:
        raise RuntimeError(f"A sweeper ended with {child.wait()}: see above.")
    return json.loads(line)


def main(what: str, params: dict[str, Any]) -> None:
    """Be one of the processes: say when ready, wait for a word, work, and tell what was done."""
    import django

    django.setup()
    from django.db import connection

    from orders.services.holds import due as due_holds

    def write() -> int:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, params | {"batch": BATCH})
            [(number,)] = cursor.fetchall()
        return int(number)

    batch = {"release": due_holds.release_due, "write": write}[what]
    connection.ensure_connection()
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    began, cpu = time.monotonic(), time.process_time()
    done = list(_until_none(batch))
    result = {
        "number": sum(number for number, _ in done),
        "batches": [seconds * 1000 for _, seconds in done],
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
    }
    print(json.dumps(result), flush=True)


def _until_none(batch: Callable[[], int]) -> Iterator[tuple[int, float]]:
    while True:
        began = time.monotonic()
        number = batch()
        if not number:
            return
        yield number, time.monotonic() - began


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
