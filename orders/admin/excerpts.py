"""Excerpts of data from other systems: shortened values, cut lists, and safe types."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROWS: Final = 40  # of a list, such as attributes
LONGEST: Final = 200  # characters of one value

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """Some rows of many, with the total and the position of the next rows."""

    rows: Sequence[Any]
    total: int
    next: int | None = None
    is_first: bool = True


def short(value: Any) -> str:
    """Return a value as text, cut after `LONGEST` characters."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def attributes(attributes: Any) -> Panel:
    """Return the first extended attributes as rows of name and value."""
    every = listing(attributes)
    first = [mapping(attribute) for attribute in every[:ROWS]]
    return Panel([(short(a.get("name")), short(a.get("value"))) for a in first], len(every))


def rows(named: Iterable[tuple[str, Any]]) -> list[Row]:
    return [(name, short(value)) for name, value in named if value]


def words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
