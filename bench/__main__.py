"""The command `./run bench SCENARIO`: measurements of a real installation on this machine."""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

if TYPE_CHECKING:
    from bench.judging import Result

SCENARIOS: Final = ("capture", "read", "history", "sweep", "life", "federation")
WIDTH: Final = 150  # of a table that goes to a file
LONGEST: Final = 240  # seconds: a token, fetched for every run, lives for 300


def main(words: Sequence[str]) -> int:
    """Measure; 1 if any request failed. Being slow is no failure, it is a result."""
    args = _parser().parse_args(words)
    if args.scenario == "all":
        return _one_by_one(args, list(words))
    if args.scenario == "compare":
        from bench import compare

        return compare.run(args, _console(args))
    with contextlib.ExitStack() as stack:
        folder = Path(
            args.data_dir
            or stack.enter_context(tempfile.TemporaryDirectory(prefix="ordermgmt-bench-"))
        ).resolve()
        if (folder / "postgres").exists():
            print(f"{folder} has data already; an earlier run's would be in the way.")
            return 2
        _use(folder)
        return _OTHERS.get(args.scenario, _run)(args, folder)


def _one_by_one(args: argparse.Namespace, words: list[str]) -> int:
    """Each scenario on a stage of its own, so that none meets another's rows."""
    status, facts = 0, []
    for name in SCENARIOS:
        own = [name if word == "all" else word for word in words]
        if args.data_dir:
            own += ["--data-dir", str(Path(args.data_dir) / name)]
        done = subprocess.run(
            [sys.executable, "-m", "bench", *own],
            stdout=subprocess.PIPE if args.json else None,
            check=False,
        )
        status = max(status, done.returncode)
        facts += [json.loads(done.stdout)] if done.stdout else []
    if args.json:
        print(json.dumps(facts))
    return status


def _run(args: argparse.Namespace, folder: Path) -> int:
    from bench import report
    from bench.scenarios import Bench, Options
    from bench.stage import stage

    console = _console(args)
    options = Options(
        seconds=args.seconds,
        connections=args.connections,
        items=args.items,
        rounds=args.rounds,
        many=args.orders,
    )
    with contextlib.ExitStack() as stack:
        with console.status("starting database, cache and web"):
            ground = stack.enter_context(stage(folder))
        about = report.machine()
        result: Result = getattr(Bench(ground, options, console), args.scenario)()
    report.show(console, result)
    facts = report.facts(result, options, about)
    for path in report.save(result, facts):
        console.print(f"[dim]{path}[/dim]", soft_wrap=True)
    if args.json:
        print(json.dumps(facts))
    return 1 if result.failures else 0


def _of_console(args: argparse.Namespace, folder: Path) -> int:
    """Measure the console's pages among 1,000 orders and among `--orders`."""
    from bench import console as pages
    from bench.stage import stage

    console = _console(args)
    with stage(folder) as ground:
        measured = pages.measure(ground, args.orders, console)
        facts, paths = pages.save(measured)
    pages.show(console, measured)
    for path in paths:
        console.print(f"[dim]{path}[/dim]", soft_wrap=True)
    if args.json:
        print(json.dumps(facts))
    return 1 if measured.failures else 0


def _load(args: argparse.Namespace, folder: Path) -> int:
    """Load a retailer's year of `--orders` orders into a folder that is kept."""
    from bench import console as pages
    from ordermgmt.launcher import embedded, preparation

    if not args.data_dir:
        print("Where to? Name a new folder with --data-dir.")
        return 2
    with embedded.running(folder, wait_for_others=False):
        preparation.migrate()
        pages.load(args.orders, _console(args))
    print(f"ORDERMGMT_DATA_DIR={folder} ./run up")
    return 0


_OTHERS: Final = {"console": _of_console, "load": _load}


def _console(args: argparse.Namespace) -> Console:
    return Console(highlight=False, stderr=args.json, width=None if sys.stdout.isatty() else WIDTH)


def _use(folder: Path) -> None:
    """Settle Django on a folder of ours, whatever this machine is configured for."""
    for brought in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
        os.environ[brought] = ""
    os.environ |= {
        "ORDERMGMT_DATA_DIR": str(folder),
        "ORDERMGMT_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "ordermgmt.settings",
        "DEBUG": "false",
    }
    import django

    django.setup()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("scenario", choices=[*SCENARIOS, *_OTHERS, "compare", "all"])
    parser.add_argument("--seconds", type=_seconds, default=3.0, help="of each measurement")
    parser.add_argument("--connections", type=_numbers, default=(1, 8, 32), metavar="1,8,32")
    parser.add_argument("--items", type=int, default=3, help="of each order")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts")
    parser.add_argument(
        "--orders",
        type=int,
        default=100_000,
        help="history, console: how many, against 1,000; sweep, life: at most 10,000; load: all",
    )
    parser.add_argument(
        "--data-dir", default="", help="a new folder to keep the data in; default: throw it away"
    )
    parser.add_argument(
        "--against", default="HEAD~1", help="compare: the commit to measure beside this checkout"
    )
    parser.add_argument("--of", default="capture,read", help="compare: capture, read, history")
    parser.add_argument("--pairs", type=int, default=12, help="compare: at least 10")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 0 < seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"more than 0, at most {LONGEST}")
    return seconds


def _numbers(word: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in word.split(","))
    if not all(0 < number <= 512 for number in numbers):
        raise argparse.ArgumentTypeError("numbers from 1 to 512, separated by commas")
    return numbers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
