"""docs/generated/commands.md: `./run` and our management commands with their options.

This module formats the declared options itself, because the help of argparse differs between
Python versions.
"""

import argparse
import subprocess
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from ordermgmt.management.base import ActionCommand
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.management.pages.modules import APPS

INTRODUCTION: Final = (
    "`./run` has the commands for development. `./run manage <command>` runs a command of ours or "
    "of Django with the local database. With your own servers, use `python manage.py <command>`."
)
_EVERY_COMMAND: Final = {action.dest for action in BaseCommand().create_parser("", "")._actions}


def commands() -> str:
    sections = [_section(name, _load(name)) for name in sorted(get_commands()) if _is_ours(name)]
    run = subprocess.run(
        ["./run", "help"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    return markdown.page("Commands", INTRODUCTION, markdown.block(run.stdout), *sections)


def _is_ours(name: str) -> bool:
    return str(get_commands()[name]) in APPS


def _load(name: str) -> BaseCommand:
    return load_command_class(get_commands()[name], name)


def _section(name: str, command: BaseCommand) -> str:
    parts = [f"## {name}", command.help]
    parser = command.create_parser("manage.py", name)
    if isinstance(command, ActionCommand):
        parts += [_action(f"{name} {word}", subparser) for word, subparser in _words(parser)]
        examples = "\n".join(command.examples).replace("manage.py", "./run manage")
        return "\n\n".join([*parts, "Examples:", markdown.block(examples, "bash")])
    return "\n\n".join([*parts, _usage(name, parser), *_options(parser)])


def _words(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _action(name: str, parser: argparse.ArgumentParser) -> str:
    return "\n\n".join(
        [f"### {name}", str(parser.description), _usage(name, parser), *_options(parser)]
    )


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    return markdown.block(" ".join(["./run manage", name, *map(_word, _own(parser))]), "text")


def _options(parser: argparse.ArgumentParser) -> list[str]:
    rows = [
        (code(_signature(action)), (action.help or "") % vars(action)) for action in _own(parser)
    ]
    return [markdown.table(["option", "what it is"], rows)] if rows else []


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the arguments that the command declares itself: positional ones, then options."""
    own = [a for a in parser._actions if a.dest not in _EVERY_COMMAND]
    return sorted(own, key=lambda action: bool(action.option_strings))


def _word(action: argparse.Action) -> str:
    needed = action.required if action.option_strings else action.nargs != "?"
    return _signature(action) if needed else f"[{_signature(action)}]"


def _signature(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.dest)
    flag = action.option_strings[0]
    if action.nargs == 0:
        return flag
    value = action.metavar or str(action.dest).upper()
    return f"{flag} {value}" + (" …" if action.nargs in ("*", "+") else "")
