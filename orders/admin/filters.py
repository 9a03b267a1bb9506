"""What support asks of many orders: each question once, with how far a search for it may reach."""

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from configuration.models import Location, Tenant
from configuration.services.tenants import folded
from orders.lifecycle import OUTCOME_RULES, HoldKind, ItemStatus, OrderStatus, Outcome
from orders.models import ChannelType, Hold, Item

HOUR: Final = dt.timedelta(hours=1)
_LAST_DAY: Final = dt.date(9999, 12, 30)  # there is a day after it


class Reach(Enum):
    """How the orders that a filter lets through are found among a million."""

    TIME = "along an index by time"
    FEW = "there are few, by an index of their own"
    WINDOW = "among so many of the newest: there may be none"


@dataclass(frozen=True)
class Filter:
    """One question: the field it is asked with, and which orders are the answer."""

    name: str
    field: forms.Field
    matches: Callable[[Any], Q]
    reach: Reach = Reach.WINDOW


def _held(**asked: Any) -> Q:
    """Orders with such a hold; all of them wait, which is where to look, by time."""
    holds = Hold.objects.filter(
        tenant=OuterRef("tenant"), order=OuterRef("pk"), released_at=None, **asked
    )
    return Q(Exists(holds), status=OrderStatus.ON_HOLD)


def _with_item(asked: Q) -> Q:
    items = Item.objects.filter(asked, tenant=OuterRef("tenant"), order=OuterRef("pk"))
    return Q(Exists(items))


class Period(forms.CharField):
    """A year, a month or a day, as ISO 8601 writes it; cleaned to its beginning and its end."""

    _WRITTEN: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")

    def clean(self, value: Any) -> tuple[dt.datetime, dt.datetime] | None:
        text = super().clean(value)
        if not text:
            return None
        written = self._WRITTEN.fullmatch(text)
        if written is None:
            raise ValidationError("A year, a month or a day, such as 2026-11.")
        year, month, day = (int(part) if part else None for part in written.groups())
        try:
            first = dt.datetime(year or 0, month or 1, day or 1, tzinfo=dt.UTC)
            days = 1 if day else calendar.monthrange(first.year, first.month)[1]
            return first, first + dt.timedelta(
                days=days if month else 365 + calendar.isleap(first.year)
            )
        except (ValueError, OverflowError) as impossible:
            raise ValidationError("There is no such day.") from impossible


def _became(outcome: str) -> Q:
    """Orders of which the rules of the lifecycle make this outcome: the first that fits."""
    numbers = {f"of_{s}": Count("pk", filter=Q(status=s)) for s in ItemStatus.values}
    items = Item.objects.filter(tenant=OuterRef("tenant"), order=OuterRef("pk"))
    found, earlier = Q(pk__in=[]), Q()
    for rule in OUTCOME_RULES:
        fits = reduce(or_, (Q(**{f"of_{status}__gt": 0}) for status in rule.some))
        fits &= Q(**{f"of_{status}": 0 for status in set(ItemStatus) - rule.every})
        if rule.outcome == outcome:
            found |= earlier & fits
        earlier &= ~fits
    return Q(Exists(items.values("order").annotate(**numbers).filter(found)))


def _choice(choices: Iterable[tuple[str, str]], label: str) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[("", "Any"), *choices], label=label, required=False)


def _text(label: str, suggestions: str = "") -> forms.CharField:
    listed = {"list": suggestions} if suggestions else {}
    return forms.CharField(
        max_length=256, label=label, required=False, widget=forms.TextInput(listed)
    )


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(min_value=1, max_value=1_000_000, label=label, required=False)


def _switch(label: str, *, yes: str) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[("", "Any"), ("yes", yes)], label=label, required=False)


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        validators=[MaxValueValidator(_LAST_DAY)],
        widget=forms.DateInput({"type": "date"}),
    )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


FILTERS: Final = (
    Filter("status", _choice(OrderStatus.choices, "Status"), lambda is_: Q(status=is_), Reach.TIME),
    Filter("outcome", _choice(Outcome.choices, "Outcome"), _became),
    Filter("hold", _choice(HoldKind.choices, "Held by"), lambda kind: _held(kind=kind), Reach.TIME),
    Filter(
        "due",
        _switch("Grace ends", yes="Within the hour"),
        lambda _: _held(due_at__lte=Now() + HOUR),
        Reach.TIME,
    ),
    Filter(
        "conflict",
        _switch("Conflicts", yes="Cannot be fulfilled"),
        lambda _: _with_item(~Q(conflict_reason="")),
        Reach.FEW,
    ),
    Filter("channel", _choice(ChannelType.choices, "Channel"), lambda is_: Q(channel_type=is_)),
    Filter("store", _text("Bought in store", "known-stores"), lambda code: Q(store_id=code)),
    Filter(
        "location",
        _text("Fulfilled by", "known-locations"),
        lambda code: _with_item(Q(location_code=code)),
    ),
    Filter("units", _number("Units, at least"), lambda number: Q(item_count__gte=number)),
    Filter(
        "external",
        _switch("External OMS", yes="Handed over"),
        lambda _: _with_item(Q(status=ItemStatus.CAPTURED)),
    ),
    Filter("since", _day("Placed from"), lambda day: Q(placed_at__gte=_midnight(day)), Reach.TIME),
    Filter(
        "until",
        _day("Placed until"),
        lambda day: Q(placed_at__lt=_midnight(day) + dt.timedelta(days=1)),
        Reach.TIME,
    ),
    Filter(
        "placed",
        Period(max_length=10, label="Placed in", required=False, widget=forms.HiddenInput),
        lambda period: Q(placed_at__gte=period[0], placed_at__lt=period[1]),
        Reach.TIME,
    ),
)
TENANT: Final = "tenant"
BY_NAME: Final = {row.name: row for row in FILTERS}


class TenantField(forms.ModelChoiceField):
    """A tenant by its slug, in capitals or not."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(folded(value) if isinstance(value, str) else value)


class FilterForm(forms.Form):
    """The questions as a form; an operator is asked for a tenant too."""

    def __init__(self, asked: Any, tenants: QuerySet[Tenant] | None = None) -> None:
        super().__init__(asked)
        if tenants is not None:
            self.fields[TENANT] = TenantField(
                tenants, to_field_name="slug", required=False, empty_label="Any", label="Tenant"
            )
        self.fields |= {row.name: deepcopy(row.field) for row in FILTERS}
        for name, field in self.fields.items():
            field.widget.attrs |= {"id": f"filter-{name}", "class": "filter-field"}

    @property
    def active(self) -> list[str]:
        """The names of the filters in use."""
        return [name for name, value in self.cleaned_data.items() if value]

    def conditions(self) -> dict[Reach, Q]:
        """What is asked of the orders, by how they are found."""
        found = {reach: Q() for reach in Reach}
        for name in self.active:
            if row := BY_NAME.get(name):
                found[row.reach] &= row.matches(self.cleaned_data[name])
        return found


def places(tenants: Sequence[Tenant]) -> list[Location]:
    """The locations to suggest."""
    return list(
        Location.objects.filter(tenant__in=tenants).order_by("code").only("code", "name", "type")
    )
