"""The route that reads an order's timeline."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet, query_integer
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import InstantText, Wire
from ordermgmt.values.timestamps import timestamp
from orders.api.parameters import ANY_ID, path_id
from orders.services.timeline import entries as timeline_entries

MOST_ON_A_PAGE: Final = 100


class Entry(Wire):
    version: int
    """1, 2, 3 … without a gap; also the version in the event that the change published, if any."""
    at: InstantText
    actor: str
    """`client:…`, `staff:…` or `task:…`."""
    verb: str
    """The type of the change."""
    facts: dict[str, Any]
    """The reasons: the rule, its inputs and its decision."""


class Timeline(Wire):
    entries: list[Entry]
    """From oldest to newest. Send the last entry's version as `after` to read the next page."""


class TimelineView(ApiViewSet):
    required_scopes = {"GET": ["orders:read"]}
    checks_tenant_headers = True

    @extend_schema(
        operation_id="get_timeline",
        tags=["orders"],
        summary="Retrieve an order's timeline",
        parameters=[
            ANY_ID,
            OpenApiParameter(
                "after",
                {"type": "integer", "format": "int64", "minimum": 0, "default": 0},
                description="Return only entries with a higher version.",
            ),
            OpenApiParameter(
                "count",
                {
                    "type": "integer",
                    "format": "int32",
                    "minimum": 1,
                    "maximum": MOST_ON_A_PAGE,
                    "default": MOST_ON_A_PAGE,
                },
            ),
        ],
        responses={200: Timeline, **problems(400, 404)},
    )
    def list(self, request: Request, id: str) -> Response:
        """Return the changes of an order with time, actor and reason. Entries never change."""
        page = timeline_entries.entries(
            self.tenant,
            path_id(id),
            after=query_integer(request, "after", default=0),
            count=query_integer(
                request, "count", default=MOST_ON_A_PAGE, minimum=1, maximum=MOST_ON_A_PAGE
            ),
        )
        entries = [
            {
                "version": entry.version,
                "at": timestamp(entry.at),
                "actor": entry.actor,
                "verb": entry.verb,
                "facts": entry.facts,
            }
            for entry in page
        ]
        return Response({"entries": entries})
