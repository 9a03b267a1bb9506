"""Path, query and header parameters of the order routes."""

from typing import Final, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from ordermgmt.http.api import BadParameter, query_param, tag_version
from orders.services.reading.queries import IdType, OrderNotFound

ID: Final = OpenApiParameter("id", location="path", description="The order's id.")
ANY_ID: Final = OpenApiParameter(
    "id", location="path", description="The order's UUID, number or external id."
)
ID_TYPE: Final = OpenApiParameter(
    "id_type",
    required=True,
    enum=["internal", "external"],
    description="`internal`: the id is our UUID. `external`: it is the external id or the number.",
)
IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    location="header",
    description="The expected version of the order, from the ETag of its holds. The answer is 412"
    " if the order has changed since.",
)


def id_type(request: Request) -> IdType:
    """Return the type of the order id in the path. Raise `BadParameter` for an unknown type."""
    return cast(IdType, query_param(request, "id_type", allowed=("internal", "external")))


def path_id(value: str) -> str:
    """Return an id from the path. Raise `BadParameter` for an id with a NUL.

    Raise `OrderNotFound` for an id with an empty part between slashes: capture refuses such ids,
    and older orders with one can be read by UUID.
    """
    if "\0" in value:
        raise BadParameter("The id holds a NUL.")
    if "/" in value and "" in value.split("/"):
        raise OrderNotFound(f"The order '{value[:64]}' couldn't be found.")
    return value


def expected_version(request: Request) -> int | None:
    """Return the version in the If-Match header, if any. Raise `BadParameter` for a bad header."""
    header = request.META.get("HTTP_IF_MATCH", "*").strip()
    if header == "*":
        return None
    if not (version := tag_version(header)):
        raise BadParameter('If-Match must be the ETag of an order, for instance "3".')
    return version
