"""No more of what somebody else wrote than anybody reads: long values, lists, and odd shapes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROWS: Final = 40  # of attributes and the like
LONGEST: Final = 200  # characters of one value

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """Some rows of many: what is shown, how many there are, and where the next ones are."""

    rows: Sequence[Any]
    total: int
    next: int | None = None
    is_first: bool = True


def short(value: Any) -> str:
    """A value as text, of which no more is shown than anybody reads."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def attributes(attributes: Any) -> Panel:
    """Extended attributes: names and values somebody else chose."""
    every = listing(attributes)
    said = [mapping(attribute) for attribute in every[:ROWS]]
    return Panel([(short(a.get("name")), short(a.get("value"))) for a in said], len(every))


def rows(named: Iterable[tuple[str, Any]]) -> list[Row]:
    return [(name, short(value)) for name, value in named if value]


def words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
