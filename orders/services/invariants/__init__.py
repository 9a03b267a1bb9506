"""What must be true of all orders at every moment, each by one statement that finds offenders.

The database promises much of this by constraints; here it is checked what is stored, also after a
restore, an import or a bug. Every statement reads its tables once or twice, so a million orders
take seconds each; all may run at any time, for each sees one moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from orders.services.invariants.course import COURSE
from orders.services.invariants.stored import STORED
from orders.services.invariants.told import TOLD

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise, and the statement that finds who breaks it: tenant, name of the thing, detail."""

    name: str
    promise: str
    offenders: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How many break an invariant, and some of them."""

    invariant: Invariant
    number: int
    examples: Sequence[str]


INVARIANTS: Final = tuple(Invariant(*row) for row in (*STORED, *COURSE, *TOLD))


def check() -> Iterator[Finding]:
    """Every invariant's finding, one by one, as they are found; however long that takes."""
    return map(_check, INVARIANTS)


def _check(invariant: Invariant) -> Finding:
    found = _offenders(invariant)
    examples = [f"tenant {tenant}: {name}: {detail}" for tenant, name, detail, _ in found]
    return Finding(invariant, found[0][3] if found else 0, examples)


@transaction.atomic
def _offenders(invariant: Invariant) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # it reads everything
        cursor.execute(
            f"SELECT f.*, count(*) OVER () FROM ({invariant.offenders}) f LIMIT {EXAMPLES}"
        )
        return cursor.fetchall()
