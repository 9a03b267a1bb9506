"""Results for people and programs: a table, a JSON file, a plot."""

import datetime as dt
import json
import logging
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench import pgbench
from bench.judging import Result, Row
from bench.scenarios import Options

RESULTS: Final = Path(__file__).resolve().parent / "results"
_NUMBERS: Final = ("lines", "req/s", "slowest", "p50 ms", "p95 ms", "p99 ms", "failed")
_COSTS: Final = ("app CPU ms", "db CPU ms")
_YARDSTICK: Final = ("pgbench tx/s", "its CPU ms", "ratio")


def machine() -> dict[str, Any]:
    """Return facts for comparisons: machine, software and load."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.platform(),
        "database": pgbench.durability(),
    }


def show(console: Console, result: Result) -> None:
    """Print the table, then the aims and whether they are met."""
    table = Table(title=result.name, title_justify="left", title_style="bold")
    table.add_column("what", no_wrap=True)
    compared = _YARDSTICK if any(row.yardstick for row in result.rows) else ()
    for name in (*_NUMBERS, *_COSTS, *compared):
        table.add_column(name, justify="right")
    for row in result.rows:
        table.add_row(row.what, *_cells(row))
    console.print(table)
    for aim in result.aims:
        sign = "[green]✓[/green]" if aim.is_met else "[red]✗[/red]"
        seen = f"{aim.seen:,.0f}" if aim.seen >= 100 else f"{aim.seen:.2f}"
        console.print(f"{sign} {aim.text}: {seen}")
    for row in result.rows:
        if row.measured.failures:
            console.print(
                f"[red]failed[/red] {row.what}: {row.measured.failures} "
                f"{row.measured.first_failure[:500]}",
                markup=True,
            )


def _cells(row: Row) -> list[str]:
    m, y = row.measured, row.yardstick
    costs = [f"{m.app_cpu:.2f}", f"{m.database_cpu:.2f}"]
    compared = [f"{y.rate:,.0f}", f"{y.database_cpu:.2f}", f"{row.ratio:.2f}"] if y else []
    times = [f"{time:.1f}" for time in (m.p50, m.p95, m.p99)]
    failed = str(sum(m.failures.values()))
    rates = [f"{m.rate:,.0f}", "" if m.slowest is None else f"{m.slowest:,.0f}"]
    return [str(m.connections), *rates, *times, failed, *costs, *compared]


def facts(result: Result, options: Options, about: dict[str, Any]) -> dict[str, Any]:
    """Return all facts, for a file."""
    rows = [asdict(row) | {"ratio": row.ratio} for row in result.rows]
    aims = [asdict(aim) for aim in result.aims]
    return {
        "name": result.name,
        "machine": about,
        "options": asdict(options),
        "rows": rows,
        "aims": aims,
    }


def save(result: Result, facts: dict[str, Any]) -> list[Path]:
    """Write JSON and plot; where to."""
    RESULTS.mkdir(exist_ok=True)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    path = RESULTS / f"{result.name}-{stamp}.json"
    path.write_text(json.dumps(facts, indent=2))
    picture = path.with_suffix(".png")
    _plot(result, picture)
    return [path, picture]


def _plot(result: Result, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    from matplotlib import pyplot as plt

    figure, (rates, times) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for what in dict.fromkeys(row.what for row in result.rows):
        rows = [row for row in result.rows if row.what == what]
        at = [row.measured.connections for row in rows]
        [line] = rates.plot(at, [row.measured.rate for row in rows], "o-", label=what)
        if all(row.yardstick for row in rows):
            tops = [row.yardstick.rate for row in rows if row.yardstick]
            rates.plot(at, tops, "s--", color="gray", label="pgbench, the same rows")
        for share, style in (("p50", "-"), ("p95", "--"), ("p99", ":")):
            values = [getattr(row.measured, share) for row in rows]
            times.plot(at, values, f"o{style}", color=line.get_color(), label=f"{what} {share}")
    _finish(rates, "a second", "rate")
    _finish(times, "milliseconds", "latency", log=True)
    figure.suptitle(result.name)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _finish(axes: Any, unit: str, title: str, *, log: bool = False) -> None:
    axes.set_xscale("log", base=2)
    if log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    ticks: Sequence[int] = sorted({int(x) for line in axes.lines for x in line.get_xdata()})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set(xlabel="connections", ylabel=unit, title=title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
