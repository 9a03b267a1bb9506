"""Paired measurements of two commits: `./run bench compare --against COMMIT`.

Both commits are served at the same time, each by its own code from its own folder, and take turns
under the same load, so that both see the same machine. Every pair is printed and none is left out;
the 95 % interval is Student's, of the logarithm of the ratio.
"""

import argparse
import contextlib
import datetime as dt
import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.client import Plan
from bench.measuring import Measured, measure

SCENARIOS: Final = ("capture", "read", "history")
FEWEST_PAIRS: Final = 10
ORDERS: Final = 10_000  # loaded on both sides before the first pair
CONNECTIONS: Final = 8
_ROOT: Final = Path(__file__).resolve().parents[1]
_RESULTS: Final = _ROOT / "bench" / "results"


@dataclass(frozen=True)
class Ratio:
    """A geometric mean with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """One measurement of each side, taken one right after the other."""

    before: Measured
    after: Measured

    @property
    def rate(self) -> float:
        """Requests a second after, as a share of before."""
        return self.after.rate / self.before.rate

    @property
    def cpu(self) -> float:
        """Processor time of a request after, web and database together, as a share of before."""
        return _cpu(self.after) / _cpu(self.before)


def _cpu(measured: Measured) -> float:
    return measured.app_cpu + measured.database_cpu


def ratio_of(values: Sequence[float]) -> Ratio:
    """Return the geometric mean of at least two ratios with its 95 % interval."""
    logarithms = [math.log(value) for value in values]
    mean = fmean(logarithms)
    half = _student(len(values) - 1) * stdev(logarithms) / math.sqrt(len(values))
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half))


def _student(freedom: int) -> float:
    """Return Student's two-sided 95 % quantile, by its expansion around the normal one."""
    z = NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


class Side:
    """A commit being served; `ask` returns the next measurement's request."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        ready = self._line()
        self._web, self._database = int(ready["web"]), int(ready["database"])
        self._next = 1

    def measure(self, scenario: str, seconds: float, connections: int) -> Measured:
        """Load this side for `seconds`."""
        assert self._process.stdin
        self._process.stdin.write(f"{scenario}\n")
        self._process.stdin.flush()
        request = self._line()
        self._next = max(self._next, request.pop("first"))
        plan = Plan(**request, connections=connections, seconds=seconds, first=self._next)
        measured, self._next = measure(plan, web=self._web, database=self._database)
        return measured

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("A server ended before it was measured; its messages are above.")
        facts: dict[str, Any] = json.loads(line)
        return facts


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield a temporary checkout of the commit with its own virtual environment."""
    with tempfile.TemporaryDirectory(prefix="ordermgmt-compare-") as name:
        folder = Path(name) / "checkout"
        git = ["git", "-C", str(_ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
        try:
            # Commits from before this command have no such module; it needs nothing newer.
            if not (folder / "bench" / "serve.py").exists():
                shutil.copy(Path(__file__).with_name("serve.py"), folder / "bench" / "serve.py")
            subprocess.run(
                ["./run", "bench", "--help"], cwd=folder, check=True, stdout=subprocess.DEVNULL
            )
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=False)


@contextlib.contextmanager
def served(folder: Path, data: Path) -> Iterator[Side]:
    """Serve a checkout from a new data folder."""
    command = [str(folder / ".venv/bin/python"), "-m", "bench.serve", str(data), str(ORDERS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Side(process)
        finally:
            assert process.stdin
            process.stdin.close()  # it stops its servers and ends


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure the pairs of each scenario, print and save them; 1 if a request failed."""
    scenarios = args.of.split(",")
    if unknown := set(scenarios) - set(SCENARIOS):
        console.print(f"--of takes {', '.join(SCENARIOS)}; not {', '.join(sorted(unknown))}.")
        return 2
    if args.pairs < FEWEST_PAIRS:
        console.print(f"Fewer than {FEWEST_PAIRS} pairs say nothing: --pairs {FEWEST_PAIRS}.")
        return 2
    failures = 0
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ordermgmt-bench-")))
        with console.status(f"checking out {args.against} and installing its requirements"):
            old = stack.enter_context(checkout(args.against))
        with console.status(f"starting both, with {ORDERS:,} orders each"):
            before = stack.enter_context(served(old, data / "before"))
            after = stack.enter_context(served(_ROOT, data / "after"))
        for scenario in scenarios:
            pairs = _pairs(before, after, scenario, args, console)
            _show(console, scenario, args.against, pairs)
            console.print(f"[dim]{_save(scenario, args.against, pairs)}[/dim]", soft_wrap=True)
            failures += sum(
                sum(side.failures.values()) for pair in pairs for side in (pair.before, pair.after)
            )
    return 1 if failures else 0


def _pairs(
    before: Side, after: Side, scenario: str, args: argparse.Namespace, console: Console
) -> list[Pair]:
    """Measure both sides in turn; every other pair begins with the other one."""
    pairs = []
    for number in range(args.pairs):
        with console.status(f"{scenario}: pair {number + 1} of {args.pairs}"):
            sides = [before, after] if number % 2 == 0 else [after, before]
            measured = {side: side.measure(scenario, args.seconds, CONNECTIONS) for side in sides}
        pairs.append(Pair(measured[before], measured[after]))
    return pairs


def _show(console: Console, scenario: str, commit: str, pairs: Sequence[Pair]) -> None:
    table = Table(title=f"{scenario}: {commit} and now", title_justify="left", title_style="bold")
    for name in ("pair", "req/s before", "after", "ratio", "CPU ms before", "after", "ratio"):
        table.add_column(name, justify="right")
    for number, pair in enumerate(pairs, 1):
        table.add_row(
            str(number),
            f"{pair.before.rate:,.0f}",
            f"{pair.after.rate:,.0f}",
            f"{pair.rate:.3f}",
            f"{_cpu(pair.before):.3f}",
            f"{_cpu(pair.after):.3f}",
            f"{pair.cpu:.3f}",
        )
    console.print(table)
    for name, ratio in _ratios(pairs).items():
        console.print(f"{name}: {ratio.mean:.3f} (95 %: {ratio.low:.3f} to {ratio.high:.3f})")
    for side in [side for pair in pairs for side in (pair.before, pair.after)]:
        if side.failures:
            console.print(f"[red]failed[/red] {side.failures} {side.first_failure[:300]}")


def _ratios(pairs: Sequence[Pair]) -> dict[str, Ratio]:
    return {
        "requests a second, after / before": ratio_of([pair.rate for pair in pairs]),
        "CPU of a request, after / before": ratio_of([pair.cpu for pair in pairs]),
    }


def _save(scenario: str, commit: str, pairs: Sequence[Pair]) -> Path:
    _RESULTS.mkdir(exist_ok=True)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    path = _RESULTS / f"compare-{scenario}-{stamp}.json"
    ratios = {name: asdict(ratio) for name, ratio in _ratios(pairs).items()}
    facts = {"against": commit, "ratios": ratios, "pairs": [asdict(pair) for pair in pairs]}
    path.write_text(json.dumps(facts, indent=2))
    return path
