"""Gauges of the apps, read when `/readyz` or `/metrics` is requested."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, InterfaceError


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number to watch, with the function that reads it.

    `read` is called for every request, so it must be cheap at any size: one row by an index, never
    a count of a table. It returns a number per value of `label`, under "" without a label, and an
    empty mapping when there is no number, which alarms can see. `/readyz` names a number above
    `limit`, but keeps its status.
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
    """Yield the gauges that have numbers, and the numbers; stop while the database is away."""
    for gauge in SHOWN.values():
        try:
            numbers = gauge.read()
        except (DatabaseError, InterfaceError):
            return
        if numbers:
            yield gauge, numbers


SHOWN: Final[dict[str, Gauge]] = {}
