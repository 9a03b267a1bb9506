"""What a request asks of the list of orders: its filters, its search, and for which tenants."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from configuration.models import Tenant
from ordermgmt.console.scoping import tenant_id_of
from orders.admin import filters
from orders.admin.filters import FilterForm, Reach
from orders.admin.searching import search

TERM, AFTER, BEFORE = "q", "after", "before"
_OURS: Final = {*filters.BY_NAME, filters.TENANT, AFTER, BEFORE}
_DJANGOS: Final = {TERM, "p", "o", "all", "e", "_popup", "_to_field", "_facets"}


@dataclass(frozen=True)
class Question:
    """What is asked, understood; `conditions` say it to the database."""

    form: FilterForm
    term: str
    tenants: Sequence[Tenant]
    conditions: dict[Reach, Q]

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """Raises Django's own exceptions for what it would not filter by, or cannot understand."""
        if unknown := set(request.GET) - _OURS - _DJANGOS:
            raise DisallowedModelAdminLookup(f"Filtering by {sorted(unknown)} not allowed")
        own = tenant_id_of(request.user)
        known = Tenant.objects.filter(pk=own) if own else Tenant.objects.order_by("slug")
        form = FilterForm(request.GET, None if own else known)
        if not form.is_valid():
            raise IncorrectLookupParameters(form.errors)
        chosen = form.cleaned_data.get(filters.TENANT)
        tenants = [chosen] if chosen else list(known)
        term = request.GET.get(TERM, "").strip()
        conditions = form.conditions()
        if term:
            conditions[Reach.FEW] &= Q(pk__in=search(term, tenants))
        return cls(form, term, tenants, conditions)

    def only(self, few: Q) -> Self:
        """These few and nothing else, of the same tenants."""
        return replace(self, conditions={reach: Q() for reach in Reach} | {Reach.FEW: few})

    def among(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(*self.conditions.values(), tenant__in=self.tenants)

    @property
    def is_open(self) -> bool:
        """Whether everything is asked for."""
        return not (self.term or self.form.active)

    def address(self, **changes: str) -> str:
        """How the list's address says it, without a place in the list; some of it changed."""
        said = {name: self.form.data[name] for name in self.form.active} | {TERM: self.term}
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in (said | changes).items() if value})
        return query.urlencode()
