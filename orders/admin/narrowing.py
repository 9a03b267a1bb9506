"""Links above the order list: saved views, filters in use, and periods."""

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.timezone import now

from orders.admin.asking import TERM, Question
from orders.lifecycle import HoldKind, OrderStatus
from orders.models import SavedView

YEARS: Final = 4  # offered as periods, this year included
BUILT_IN: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("All", {}),
    ("Waiting for approval", {"hold": HoldKind.BIG_ORDER.value}),
    ("Grace ends within the hour", {"due": "yes"}),
    ("Held by support", {"hold": HoldKind.SUPPORT.value}),
    ("Conflicts", {"conflict": "yes"}),
    ("Being fulfilled", {"status": OrderStatus.OPEN.value}),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the list: its text and query string."""

    text: str
    query: str
    is_current: bool = False
    is_own: bool = False


def views(user: Any, question: Question) -> list[Link]:
    """Return the built-in views and the person's own ones; the current one is marked."""
    current = question.address()
    built_in = [*BUILT_IN, ("Placed today", {"placed": f"{now():%Y-%m-%d}"})]
    links = [(name, _query(parameters), False) for name, parameters in built_in]
    own = SavedView.objects.filter(owner=user).order_by("name")
    links += [(view.name, view.query, True) for view in own]
    return [Link(name, query, query == current, is_own) for name, query, is_own in links]


def chips(question: Question) -> Iterator[Link]:
    """Yield the search term and each filter in use, with the query that removes it."""
    if question.term:
        yield Link(f"“{question.term}”", question.address(**{TERM: ""}))
    for name in question.form.active:
        field, value = question.form.fields[name], question.form.data[name]
        text = dict(getattr(field, "choices", ())).get(value, value)
        yield Link(f"{field.label}: {text}", question.address(**{name: ""}))


def periods(question: Question) -> list[Link]:
    """Return the parts of the chosen period: years, months of a year, or days of a month."""
    chosen = question.form.cleaned_data["placed"]
    if chosen is None:
        year = now().year
        names = [str(number) for number in range(year, year - YEARS, -1)]
    else:
        names = list(_parts(question.form.data["placed"], chosen[0]))
    return [Link(name, question.address(placed=name)) for name in names]


def _parts(period: str, first: dt.datetime) -> Iterator[str]:
    match period.count("-"):
        case 0:
            yield from (f"{period}-{month:02}" for month in range(1, 13))
        case 1:
            days = calendar.monthrange(first.year, first.month)[1]
            yield from (f"{period}-{day:02}" for day in range(1, days + 1))


def _query(parameters: dict[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update(parameters)
    return query.urlencode()
