"""Results, and their comparison with our aims."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bench.measuring import Measured
from bench.pgbench import Yardstick

JUDGED_AT: Final = 8  # connections


@dataclass(frozen=True)
class Row:
    """A line of the result."""

    what: str
    measured: Measured
    yardstick: Yardstick | None = None

    @property
    def ratio(self) -> float | None:
        """Return our rate as a share of the yardstick's."""
        return self.measured.rate / self.yardstick.rate if self.yardstick else None


@dataclass(frozen=True)
class Aim:
    """An aim, the measured value, and whether it meets the aim."""

    text: str
    seen: float
    is_met: bool


@dataclass(frozen=True)
class Result:
    """All that one scenario measured."""

    name: str
    rows: list[Row] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(sum(row.measured.failures.values()) for row in self.rows)


def rate_aim(rows: Iterable[Row], least: float) -> list[Aim]:
    """Return an aim of at least this rate per second."""
    return [
        Aim(
            f"{row.what}: at least {least:,.0f}/s at {JUDGED_AT} connections",
            row.measured.rate,
            row.measured.rate >= least,
        )
        for row in rows
        if row.measured.connections == JUDGED_AT
    ]


def ratio_aim(rows: Iterable[Row], least: float) -> list[Aim]:
    """At least such a share of the yardstick's rate."""
    return [
        Aim(
            f"{row.what}: at least {least} of pgbench's rate at {JUDGED_AT} connections",
            row.ratio,
            row.ratio >= least,
        )
        for row in rows
        if row.measured.connections == JUDGED_AT and row.ratio is not None
    ]


def growth_aims(
    rows: list[Row], kinds: Iterable[str], few: int, many: int, most: float = 1.3
) -> Iterator[Aim]:
    """Return aims for the median page's slowdown from few to many orders.

    Judged at the fewest connections: with more, a median says who had to queue behind whom.
    """
    connections = min(row.measured.connections for row in rows)
    medians = {
        row.what: row.measured.p50 for row in rows if row.measured.connections == connections
    }
    for kind in kinds:
        small = medians[f"{kind} of {few:,}"]
        growth = medians[f"{kind} of {many:,}"] / small if small else float("inf")
        text = f"{kind}: median at most {most} × from {few:,} to {many:,} orders"
        yield Aim(text, growth, growth <= most)
