"""Numbers that apps show in `/readyz` and `/metrics`, asked for when somebody looks."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, InterfaceError


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number to watch, and how to ask for it.

    `read` is called for every look, so it must be cheap at any size: one row by an index, never
    a count of a table. It returns the number of each value of `label`, under "" where there is
    no label, and nothing where there is nothing to tell, which alarms can see. A number above
    `limit` is named in `/readyz`, which stays as it is.
    """

    name: str
    help: str
    read: Callable[[], Mapping[str, float]]
    label: str = ""
    limit: float = math.inf


def show(gauge: Gauge) -> None:
    """Show this gauge from now on; apps call it when they are ready."""
    SHOWN[gauge.name] = gauge


def readings() -> Iterator[tuple[Gauge, Mapping[str, float]]]:
    """The gauges with something to tell, and their numbers; none while the database is away."""
    for gauge in SHOWN.values():
        try:
            numbers = gauge.read()
        except (DatabaseError, InterfaceError):
            return
        if numbers:
            yield gauge, numbers


SHOWN: Final[dict[str, Gauge]] = {}
