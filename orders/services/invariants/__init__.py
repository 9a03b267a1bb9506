"""Invariants of all orders, each checked by one query for the rows that break it.

Constraints prevent many violations, but a restore, an import or a bug can store others. Each query
reads its tables once or twice, which takes seconds for a million orders. The queries may run at any
time, because each reads one snapshot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from orders.services.invariants.course import COURSE
from orders.services.invariants.events import EVENTS
from orders.services.invariants.invariant import Invariant
from orders.services.invariants.stored import STORED

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """The number of rows that break an invariant, with examples."""

    invariant: Invariant
    number: int
    examples: Sequence[str]


INVARIANTS: Final = (*STORED, *COURSE, *EVENTS)


def check() -> Iterator[Finding]:
    """Yield the finding of every invariant, each as soon as its query ends."""
    return map(_check, INVARIANTS)


def _check(invariant: Invariant) -> Finding:
    rows = _offenders(invariant)
    examples = [f"tenant {tenant}: {name}: {detail}" for tenant, name, detail, _ in rows]
    return Finding(invariant, rows[0][3] if rows else 0, examples)


@transaction.atomic
def _offenders(invariant: Invariant) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # a full scan may exceed it
        cursor.execute(
            f"SELECT f.*, count(*) OVER () FROM ({invariant.offenders}) f LIMIT {EXAMPLES}"
        )
        return cursor.fetchall()
