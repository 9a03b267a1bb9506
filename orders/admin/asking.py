"""Query of the order list: the filters, search term and tenants of a request."""

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
    """A validated query of the order list; `conditions` are its filters for the database."""

    form: FilterForm
    term: str
    tenants: Sequence[Tenant]
    conditions: dict[Reach, Q]

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """Return the query in the address of a request.

        Raises `DisallowedModelAdminLookup` for an unknown filter, and `IncorrectLookupParameters`
        for an invalid value.
        """
        if unknown := set(request.GET) - _OURS - _DJANGOS:
            raise DisallowedModelAdminLookup(f"Filtering by {sorted(unknown)} not allowed")
        own = tenant_id_of(request.user)
        allowed = Tenant.objects.filter(pk=own) if own else Tenant.objects.order_by("slug")
        form = FilterForm(request.GET, None if own else allowed)
        if not form.is_valid():
            raise IncorrectLookupParameters(form.errors)
        chosen = form.cleaned_data.get(filters.TENANT)
        tenants = [chosen] if chosen else list(allowed)
        term = request.GET.get(TERM, "").strip()
        conditions = form.conditions()
        if term:
            conditions[Reach.FEW] &= Q(pk__in=search(term, tenants))
        return cls(form, term, tenants, conditions)

    def only(self, few: Q) -> Self:
        """Return a query for these orders instead, of the same tenants."""
        return replace(self, conditions={reach: Q() for reach in Reach} | {Reach.FEW: few})

    def among(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(*self.conditions.values(), tenant__in=self.tenants)

    @property
    def is_open(self) -> bool:
        """True if neither a filter nor a search term is set."""
        return not (self.term or self.form.active)

    def address(self, **changes: str) -> str:
        """Return the query string of the list, without a page cursor and with these changes."""
        parameters = {name: self.form.data[name] for name in self.form.active} | {TERM: self.term}
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in (parameters | changes).items() if value})
        return query.urlencode()
