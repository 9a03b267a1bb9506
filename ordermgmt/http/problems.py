"""Errors on the wire: one envelope for every refusal and failure."""

import logging
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.core import exceptions as django_exceptions
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions as drf_exceptions
from rest_framework.response import Response

from ordermgmt import errors, strict_json
from ordermgmt.console import errors as errors_of_console
from ordermgmt.monitoring.logging import request_id

MEDIA_TYPE: Final = "application/problem+json"
LONGEST_MESSAGE: Final = 500
UNFORESEEN: Final = "Couldn't process request due to an internal error."
RETRY_AFTER: Final = "2"  # seconds; our own failures are short

KINDS: Final[dict[type[errors.DomainError], HTTPStatus]] = {
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Misconfigured: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# Python 3.13 renamed some of these, but answers must not depend on the Python version.
_TITLES: Final = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}

# Refusals from outside the domain: the status decides the code and the default message.
CODES: Final[dict[int, tuple[str, str]]] = {
    400: ("bad_request", "The request is malformed."),
    401: ("unauthorized", "A bearer token is required."),
    403: ("forbidden", "This token does not permit the request."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "The method is not allowed at this address."),
    406: ("not_acceptable", "None of the versions that Accept names is available here."),
    408: ("request_timeout", "The request did not arrive in time."),
    413: ("payload_too_large", "The body is larger than accepted."),
    415: ("unsupported_media_type", "The body must be plain application/json in UTF-8."),
    429: ("too_many_requests", "Too many requests; slow down."),
    500: ("internal_server_error", UNFORESEEN),
    503: ("service_unavailable", "The service is busy or restarting; try again shortly."),
}

# Exceptions of Django and the database, most special first. Anything else is a 500.
FOREIGN: Final[tuple[tuple[type[Exception], int], ...]] = (
    (django_exceptions.RequestDataTooBig, 413),
    (django_exceptions.SuspiciousOperation, 400),
    (django_exceptions.BadRequest, 400),
    (UnreadablePostError, 400),
    (Http404, 404),
    (django_exceptions.PermissionDenied, 403),
    # Lost connections, timeouts, deadlocks and serialization failures: the same call may succeed.
    (OperationalError, 503),
    (InterfaceError, 503),
    # The database cannot hold the value, so the request is wrong and a check of ours is missing.
    (DataError, 400),
)

log = logging.getLogger(__name__)


def title(status: int) -> str:
    """Return the reason phrase of RFC 9110."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


@dataclass(slots=True)
class Problem:
    """An error answer before it has a body."""

    status: int
    code: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the envelope. Its own members win over facts of the same name."""
        message = printable(self.message)
        messages = self.facts.get("messages") or [message]
        return self.facts | {
            "type": f"/problems/{self.code}",
            "title": title(self.status),
            "status": self.status,
            "detail": message,
            "error_code": self.code,
            "message": message,
            "messages": [printable(text) for text in messages],
            "request_id": request_id.get(),
        }

    def response(self) -> HttpResponse:
        """Return a Django response, for middleware and for views outside the API."""
        raw = strict_json.dumps(self.body())
        return HttpResponse(raw, status=self.status, content_type=MEDIA_TYPE, headers=self.headers)


def printable(text: str) -> str:
    """Return the text shortened and safe for any log, header or terminal."""
    safe = "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_MESSAGE])
    return safe.encode("ascii", "backslashreplace").decode()[:LONGEST_MESSAGE]


def of_status(status: int, message: str = "", **facts: Any) -> Problem:
    """Return the problem of `status`, with its default message unless another is given."""
    code, words = CODES[status]
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else {}
    return Problem(status, code, message or words, facts, headers)


def of(exc: BaseException) -> Problem | None:
    """Return the problem that `exc` means to the caller; None for an unexpected exception."""
    if isinstance(exc, errors.DomainError):
        return _of_refusal(exc)
    if isinstance(exc, drf_exceptions.APIException):
        return _of_framework(exc)
    for kind, status in FOREIGN:
        if isinstance(exc, kind):
            if kind in (DataError, OperationalError, InterfaceError):
                log.error("database refused: %s", type(exc).__name__, exc_info=exc)
            return of_status(status)
    return None


def _of_refusal(refusal: errors.DomainError) -> Problem:
    status = next(KINDS[kind] for kind in type(refusal).__mro__ if kind in KINDS)
    wait = str(refusal.facts.get("retry_after", RETRY_AFTER))
    headers = {"Retry-After": wait} if status == 503 else {}
    return Problem(status.value, refusal.code, str(refusal), refusal.facts, headers)


def _of_framework(exc: drf_exceptions.APIException) -> Problem:
    problem = of_status(exc.status_code if exc.status_code in CODES else 500)
    if exc.status_code in (401, 403) and str(exc.detail) != exc.default_detail:
        problem.message = str(exc.detail)  # our own words; elsewhere DRF may repeat the input
    if header := getattr(exc, "auth_header", None):
        problem.headers["WWW-Authenticate"] = header
    problem.headers |= getattr(exc, "headers", {})
    if wait := getattr(exc, "wait", None):
        problem.headers["Retry-After"] = str(int(wait) + 1)
    return problem


def handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to `exc` for REST framework; None lets Django log it and answer 500."""
    problem = of(exc)
    if problem is None:
        return None
    return Response(
        problem.body(), problem.status, headers=problem.headers, content_type=MEDIA_TYPE
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, of(exception) or of_status(400))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, of_status(403))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, of_status(404))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that no view caught and Django has logged."""
    exception = sys.exc_info()[1]
    return _answer(request, (exception and of(exception)) or of_status(500))


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return a page inside the console, otherwise the envelope."""
    if request.path_info.startswith("/console/"):
        return errors_of_console.page(problem.status)
    return problem.response()
