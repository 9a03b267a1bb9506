"""Filters of the order list: a table of form fields, conditions and access paths."""

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
_LAST_DAY: Final = dt.date(9999, 12, 30)  # "until" adds one day, which must be a valid date


class Reach(Enum):
    """Access path of a filter: the index that finds its orders, if there is one."""

    TIME = "the index by time"
    FEW = "an index of its own, because few orders match"
    WINDOW = "no index, so only a window of the newest orders is searched"


@dataclass(frozen=True)
class Filter:
    """One filter: its form field, and the condition that orders must meet."""

    name: str
    field: forms.Field
    matches: Callable[[Any], Q]
    reach: Reach = Reach.WINDOW


def _held(**conditions: Any) -> Q:
    """Return the condition "has an active hold like this".

    It includes the status on hold, so that the index by status and time applies.
    """
    holds = Hold.objects.filter(
        tenant=OuterRef("tenant"), order=OuterRef("pk"), released_at=None, **conditions
    )
    return Q(Exists(holds), status=OrderStatus.ON_HOLD)


def _with_item(condition: Q) -> Q:
    items = Item.objects.filter(condition, tenant=OuterRef("tenant"), order=OuterRef("pk"))
    return Q(Exists(items))


class Period(forms.CharField):
    """A year, month or day in ISO 8601; its cleaned value is the period's start and end."""

    _FORMAT: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")

    def clean(self, value: Any) -> tuple[dt.datetime, dt.datetime] | None:
        text = super().clean(value)
        if not text:
            return None
        match = self._FORMAT.fullmatch(text)
        if match is None:
            raise ValidationError("A year, a month or a day, such as 2026-11.")
        year, month, day = (int(part) if part else None for part in match.groups())
        try:
            first = dt.datetime(year or 0, month or 1, day or 1, tzinfo=dt.UTC)
            days = 1 if day else calendar.monthrange(first.year, first.month)[1]
            return first, first + dt.timedelta(
                days=days if month else 365 + calendar.isleap(first.year)
            )
        except (ValueError, OverflowError) as error:
            raise ValidationError("There is no such day.") from error


def _has_outcome(outcome: str) -> Q:
    """Return the condition that the first matching outcome rule gives this outcome."""
    numbers = {f"of_{s}": Count("pk", filter=Q(status=s)) for s in ItemStatus.values}
    items = Item.objects.filter(tenant=OuterRef("tenant"), order=OuterRef("pk"))
    matches, earlier = Q(pk__in=[]), Q()
    for rule in OUTCOME_RULES:
        fits = reduce(or_, (Q(**{f"of_{status}__gt": 0}) for status in rule.some))
        fits &= Q(**{f"of_{status}": 0 for status in set(ItemStatus) - rule.every})
        if rule.outcome == outcome:
            matches |= earlier & fits
        earlier &= ~fits
    return Q(Exists(items.values("order").annotate(**numbers).filter(matches)))


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
    Filter(
        name="status",
        field=_choice(OrderStatus.choices, "Status"),
        matches=lambda status: Q(status=status),
        reach=Reach.TIME,
    ),
    Filter(name="outcome", field=_choice(Outcome.choices, "Outcome"), matches=_has_outcome),
    Filter(
        name="hold",
        field=_choice(HoldKind.choices, "Held by"),
        matches=lambda kind: _held(kind=kind),
        reach=Reach.TIME,
    ),
    Filter(
        name="due",
        field=_switch("Grace ends", yes="Within the hour"),
        matches=lambda _: _held(due_at__lte=Now() + HOUR),
        reach=Reach.TIME,
    ),
    Filter(
        name="conflict",
        field=_switch("Conflicts", yes="Cannot be fulfilled"),
        matches=lambda _: _with_item(~Q(conflict_reason="")),
        reach=Reach.FEW,
    ),
    Filter(
        name="channel",
        field=_choice(ChannelType.choices, "Channel"),
        matches=lambda channel: Q(channel_type=channel),
    ),
    Filter(
        name="store",
        field=_text("Bought in store", "known-stores"),
        matches=lambda code: Q(store_id=code),
    ),
    Filter(
        name="location",
        field=_text("Fulfilled by", "known-locations"),
        matches=lambda code: _with_item(Q(location_code=code)),
    ),
    Filter(
        name="units",
        field=_number("Units, at least"),
        matches=lambda number: Q(item_count__gte=number),
    ),
    Filter(
        name="external",
        field=_switch("External OMS", yes="Handed over"),
        matches=lambda _: _with_item(Q(status=ItemStatus.CAPTURED)),
    ),
    Filter(
        name="since",
        field=_day("Placed from"),
        matches=lambda day: Q(placed_at__gte=_midnight(day)),
        reach=Reach.TIME,
    ),
    Filter(
        name="until",
        field=_day("Placed until"),
        matches=lambda day: Q(placed_at__lt=_midnight(day) + dt.timedelta(days=1)),
        reach=Reach.TIME,
    ),
    Filter(
        name="placed",
        field=Period(max_length=10, label="Placed in", required=False, widget=forms.HiddenInput),
        matches=lambda period: Q(placed_at__gte=period[0], placed_at__lt=period[1]),
        reach=Reach.TIME,
    ),
)
TENANT: Final = "tenant"
BY_NAME: Final = {row.name: row for row in FILTERS}


class TenantField(forms.ModelChoiceField):
    """A tenant by its slug, in upper or lower case."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(folded(value) if isinstance(value, str) else value)


class FilterForm(forms.Form):
    """The filters as a form; operators get a field for the tenant too."""

    def __init__(self, data: Any, tenants: QuerySet[Tenant] | None = None) -> None:
        super().__init__(data)
        if tenants is not None:
            self.fields[TENANT] = TenantField(
                tenants, to_field_name="slug", required=False, empty_label="Any", label="Tenant"
            )
        self.fields |= {row.name: deepcopy(row.field) for row in FILTERS}
        for name, field in self.fields.items():
            field.widget.attrs |= {"id": f"filter-{name}", "class": "filter-field"}

    @property
    def active(self) -> list[str]:
        """Return the names of the filters in use."""
        return [name for name, value in self.cleaned_data.items() if value]

    def conditions(self) -> dict[Reach, Q]:
        """Return the conditions of the filters in use, by access path."""
        conditions = {reach: Q() for reach in Reach}
        for name in self.active:
            if row := BY_NAME.get(name):
                conditions[row.reach] &= row.matches(self.cleaned_data[name])
        return conditions


def places(tenants: Sequence[Tenant]) -> list[Location]:
    """Return the locations that the form suggests."""
    return list(
        Location.objects.filter(tenant__in=tenants).order_by("code").only("code", "name", "type")
    )
