"""Console pages of outbox events."""

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ordermgmt import strict_json
from ordermgmt.console.scoping import TenantAdmin, tenant_id_of
from webhooks.models import Event

PAGE: Final = 50
WINDOW: Final = 20_000  # events of all tenants that one page searches
LONGEST_SHOWN: Final = 50_000  # characters of a payload


@admin.register(Event)
class EventAdmin(TenantAdmin):
    """The outbox, newest first. Pages follow the primary key, without counting or sorting."""

    fields = ["name", "tenant", "subject", "version", "uuid", "published_at", "shown_payload"]
    readonly_fields = fields

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        order, name = _text(request, "order"), _text(request, "name")
        before = _number(request.GET.get("before", ""))
        events = self.get_queryset(request).defer("payload").order_by("-pk")
        if name:
            events = events.filter(name=name)
        events, window_end = _window(events, order=order, before=before)
        page = list(events[: PAGE + 1])
        older = page[PAGE - 1].pk if len(page) > PAGE else window_end
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            "console/events.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Events",
                "events": page[:PAGE],
                "shows_tenant": tenant_id_of(request.user) is None,
                "name": name,
                "order": order,
                "older": older,
                "is_first": before is None,
            },
        )

    @admin.display(description="Payload")
    def shown_payload(self, event: Event) -> SafeString:
        text = strict_json.readable(event.payload)
        cut = f"{text[:LONGEST_SHOWN]}\n… cut here" if len(text) > LONGEST_SHOWN else text
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', cut)


def _window(
    events: QuerySet[Any], *, order: str, before: int | None
) -> tuple[QuerySet[Any], int | None]:
    """Return the events to search, and the primary key at which the next window begins, if any.

    Events of one order have an index. All others are searched in windows of the primary key.
    """
    if before is not None:
        events = events.filter(pk__lt=before)
    if order:
        subject = _uuid(order)
        return (events.filter(subject=subject) if subject else events.none()), None
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    end = (newest + 1 if before is None else before) - WINDOW
    return events.filter(pk__gte=end), end if end > 1 else None


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:80]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
