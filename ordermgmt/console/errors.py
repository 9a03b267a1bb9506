"""Error pages of the console, rendered without the database."""

from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string

from ordermgmt.console import typed
from ordermgmt.monitoring.logging import request_id

# Other statuses show the standard's phrase.
WORDS: Final = {
    400: ("This address or form makes no sense", "Go back, and try it from the console's pages."),
    403: ("You may not do this", "Your role does not allow it. Ask an admin of your tenant."),
    404: ("There is nothing here", "It does not exist, or it is not your tenant's."),
    413: ("This is too much at once", "Choose less, and try again."),
    429: (
        "Too many attempts",
        "Sign-in from here is closed for a while after so many wrong passwords. Try again in "
        f"{int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)} minutes.",
    ),
    500: ("Something went wrong", "It is not your fault. Tell whoever runs this the id below."),
    503: ("Busy or restarting", "Try again in a moment."),
}
STALE_FORM: Final = (
    "This page has expired",
    "It was opened before you last signed in or out. Go back, reload the page, and send it again.",
)
ONE_AT_A_TIME: Final = (
    "One at a time",
    "Somebody is signing in by this name right now. Try again in a moment.",
)


def page(status: int, words: tuple[str, str] | None = None) -> HttpResponse:
    """Return an error page with this status."""
    title, text = words or WORDS.get(status) or (HTTPStatus(status).phrase, "")
    facts = {"status": status, "title": title, "text": text, "request_id": request_id.get()}
    return HttpResponse(render_to_string("console/error.html", facts), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a failed CSRF check; CSRF_FAILURE_VIEW.

    A form from our own page is kept and shown again. A form from another origin is refused, because
    another site must not fill in our forms.
    """
    if _is_from_us(request):
        user_id = request.user.pk
        if user_id in (None, typed.owner(request)) and typed.keep(request):
            return redirect(request.get_full_path())
    return page(403, STALE_FORM)


def _is_from_us(request: HttpRequest) -> bool:
    ours = (f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS)
    return request.headers.get("Origin") in ours


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Answer a locked sign-in; AXES_LOCKOUT_CALLABLE."""
    return page(429)
