"""What the order routes have in common: how a path and a query name an order."""

from typing import Final, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from ordermgmt.http.api import BadParameter, query_param, tag_version
from orders.services.reading.queries import IdType, OrderNotFound

ID: Final = OpenApiParameter("id", location="path", description="The order's id.")
ANY_ID: Final = OpenApiParameter(
    "id", location="path", description="The order's UUID, its number, or the caller's id."
)
ID_TYPE: Final = OpenApiParameter(
    "id_type",
    required=True,
    enum=["internal", "external"],
    description="`internal`: the id is our UUID. `external`: it is the caller's id or the number.",
)
IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    location="header",
    description="The version of the order that you decided by, as the ETag of its holds says; 412"
    " if it has changed since.",
)


def id_type(request: Request) -> IdType:
    """How the caller names the order; raises `BadParameter`."""
    return cast(IdType, query_param(request, "id_type", allowed=("internal", "external")))


def path_id(value: str) -> str:
    """An id from the path; raises `BadParameter` for what no id can hold.

    Raises `OrderNotFound` for an id that could be another one's with a slash: no order is captured
    under such a name, and those from before are asked for by UUID.
    """
    if "\0" in value:
        raise BadParameter("The id holds a NUL.")
    if "/" in value and "" in value.split("/"):
        raise OrderNotFound(f"The order '{value[:64]}' couldn't be found.")
    return value


def expected_version(request: Request) -> int | None:
    """The version of the order the caller decided by, if it says so; raises `BadParameter`."""
    said = request.META.get("HTTP_IF_MATCH", "*").strip()
    if said == "*":
        return None
    if not (version := tag_version(said)):
        raise BadParameter('If-Match must be the ETag of an order, for instance "3".')
    return version
