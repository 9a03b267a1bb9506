"""Captures while grace periods end and a real worker sweeps on schedule."""

from collections.abc import Callable
from typing import Final

from django.db import connection

from bench.judging import Aim, Result, Row
from bench.measuring import Measured, pooled
from bench.stage import Stage
from ordermgmt.launcher.processes import wait_until
from ordermgmt.monitoring import heartbeat
from orders.services.holds import due as due_holds

LONGEST: Final = 60.0  # seconds that 10,000 may take
SHARE: Final = 0.5  # of their quiet rate that captures must keep
PATIENCE: Final = 300.0  # seconds after which we stop waiting for the sweep
# All that were loaded come due at this moment; what is captured meanwhile is not due for long.
_COME_DUE: Final = """
UPDATE orders_hold h SET due_at = now() FROM orders_order o
WHERE o.id = h.order_id AND o.external_id LIKE 'LOADED-%' RETURNING 1
"""
_RELEASED: Final = """
SELECT count(*), coalesce(extract(epoch FROM max(h.released_at) - min(h.due_at)), 0)::float
FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
WHERE h.released_at IS NOT NULL AND o.external_id LIKE 'LOADED-%'
"""
_ROUTED: Final = """
SELECT count(*), count(DISTINCT t.order_id)
FROM orders_timelineentry t JOIN orders_order o ON o.id = t.order_id
WHERE t.verb = 'routed' AND o.external_id LIKE 'LOADED-%'
"""


def life(stage: Stage, number: int, capture: Callable[[], Measured], rounds: int) -> Result:
    """Measure captures, have `number` loaded orders come due, measure captures until all are gone.

    Worker and beat are those of `./run up`: one worker of two processes.
    """
    stage.worker.start()
    stage.beat.start()
    if not wait_until(_works, timeout=60, pause=0.2):
        raise RuntimeError(f"No worker works: see {stage.worker.log}")
    quiet = [capture() for _ in range(rounds)]
    _one(_COME_DUE)
    wait_until(lambda: _one(_RELEASED)[0], timeout=PATIENCE)
    busy = [capture()]
    while due_holds.oldest_due():
        busy.append(capture())
    whole = busy[:-1] or busy  # the last one saw the sweep end
    released, seconds = _one(_RELEASED)
    entries, orders = _one(_ROUTED)
    before, meanwhile = (
        Row("captures, quiet", pooled(quiet)),
        Row(f"captures while {number:,} are released", pooled(whole)),
    )
    share = meanwhile.measured.rate / before.measured.rate
    aims = [
        Aim("all that was due is released", released, released == number),
        Aim("each is routed once", entries, entries == orders == number),
        Aim(f"seconds until the last, at most {LONGEST:.0f}", seconds, seconds < LONGEST),
        Aim(f"at least {SHARE} of the quiet rate", share, share >= SHARE),
    ]
    return Result("life", [before, meanwhile], aims)


def _works() -> bool:
    silence = heartbeat.silence(heartbeat.WORKER)
    return silence is not None and silence < heartbeat.SILENT


def _one(statement: str) -> tuple[float, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement)
        row: tuple[float, ...] = cursor.fetchone()
    return row
