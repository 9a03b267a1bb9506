"""The base of our commands: help with examples, one-line refusals, JSON for scripts."""

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from psycopg.errors import UndefinedColumn, UndefinedTable
from rich.console import Console
from rich.table import Table

from ordermgmt.errors import DomainError

# Columns whose values people copy, so they are never wrapped.
COPIED: Final = {"slug", "tenant", "key", "client_id", "code", "identifier", "since"}


class Refused(CommandError):
    """A refusal that a person can correct; Django prints it in one line and exits with 1."""


class Action:
    """An action of a command: its arguments and its function."""

    def __init__(
        self,
        name: str,
        help: str,
        run: Callable[[dict[str, Any]], None],
        *arguments: tuple[str, Mapping[str, Any]],
    ) -> None:
        self.name, self.help, self.run, self.arguments = name, help, run, arguments


class OneLineCommand(BaseCommand):
    """A command that prints refusals and database errors in one line."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DomainError as refusal:
            raise Refused(str(refusal)) from None
        except OperationalError as reason:
            raise Refused(f"The database does not serve us: {_in_one_line(reason)}") from None
        except ProgrammingError as reason:
            if not isinstance(reason.__cause__, UndefinedTable | UndefinedColumn):
                raise
            missing = reason.__cause__.diag.message_primary
            raise Refused(
                f"The database is not as this version needs it ({missing}). "
                "Bring it up to date: ./run manage migrate"
            ) from None


class ActionCommand(OneLineCommand):
    """`manage.py <command> <action> …`: a subclass lists its actions and some examples."""

    examples: ClassVar[Sequence[str]] = ()
    # Checks take longer than these commands do, and run on `up`, in CI and on `migrate`.
    requires_system_checks = []

    def actions(self) -> Iterable[Action]:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = _listed(self.examples)
        words = parser.add_subparsers(dest="action", required=True, metavar="action")
        for action in self.actions():
            word = words.add_parser(action.name, help=action.help, description=action.help)
            word.formatter_class = RawDescriptionHelpFormatter
            word.epilog = _listed(line for line in self.examples if f" {action.name}" in line)
            for name, options in action.arguments:
                word.add_argument(name, **options)
            word.add_argument("--json", action="store_true", help="print JSON, for scripts")
            word.set_defaults(run=action.run)

    def handle(self, *args: Any, **options: Any) -> None:
        options["run"](options)

    def show(
        self,
        facts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        options: Mapping[str, Any],
        title: str = "",
        note: str = "",
        table: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Print a thing or a list of things: as JSON when asked to, else as a table.

        `table` is what people are shown of a list that is too wide for a terminal.
        """
        if options["json"]:
            self.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2, default=str))
            return
        console = Console(file=self.stdout, highlight=False)  # type: ignore[arg-type]
        console.print(_table(facts if table is None else table, title))
        if note:
            console.print(note)


def _in_one_line(reason: Exception) -> str:
    return " ".join(str(reason).split())


def _listed(examples: Iterable[str]) -> str:
    lines = [f"  {line}" for line in examples]
    return "\n".join(["examples:", *lines]) if lines else ""


def _table(facts: Mapping[str, Any] | Sequence[Mapping[str, Any]], title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    if isinstance(facts, Mapping):
        table.add_column("what")
        table.add_column("value", overflow="fold")
        for name, value in facts.items():
            table.add_row(name, _cell(value))
        return table
    for name in facts[0] if facts else ["nothing yet"]:
        table.add_column(name, overflow="fold", no_wrap=name in COPIED)
    for row in facts:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    if isinstance(value, dict | list | bool | int) or value is None:
        return json.dumps(value, ensure_ascii=False)
    return str(value)
