"""Middleware of the console: session, user, messages, and a strict content security policy.

The API has neither cookies nor sessions, so its requests skip all of it after one comparison.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from axes.middleware import AxesMiddleware
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django_otp.middleware import OTPMiddleware

Respond = Callable[[HttpRequest], Any]  # a response

PREFIX: Final = "/console/"
ACTIVITY_INTERVAL: Final = 60  # seconds between two writes of a session's last activity
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",  # unfold places its menus by style attributes
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class SessionExpiry(MiddlewareMixin):
    """Sign-out of sessions that were idle too long or are too old, enforced by the server."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        now, session = int(time.time()), request.session
        since, last_active = session.get("since", now), session.get("seen", now)
        if (
            now - last_active > settings.SESSION_IDLE_SECONDS
            or now - since > settings.SESSION_COOKIE_AGE
        ):
            logout(request)
        elif "since" not in session or now - last_active >= ACTIVITY_INTERVAL:
            session.update({"since": since, "seen": now})


INSIDE: Final = (  # inside of the CSRF check
    AuthenticationMiddleware,
    OTPMiddleware,
    SessionExpiry,
    MessageMiddleware,
    AxesMiddleware,
)


class ConsoleMiddleware:
    """Middleware chain for the console's views; other requests bypass it."""

    def __init__(self, get_response: Respond) -> None:
        self.bypass = through = get_response
        for step in reversed(INSIDE):
            through = _step(step, through)
        self.csrf = CsrfViewMiddleware(through)
        self.through = _step(SessionMiddleware, convert_exception_to_response(self.csrf))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.bypass(request)
        response: HttpResponseBase = self.through(request)
        # Only scripts and styles of our own files run, so stored data never does.
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        # "no-referrer" makes browsers send `Origin: null`, which the CSRF check refuses.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def process_view(
        self, request: HttpRequest, callback: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if request.path_info.startswith(PREFIX):
            return self.csrf.process_view(request, callback, args, kwargs)
        return None


def _step(step: Callable[[Any], Any], next_handler: Respond) -> Respond:
    """Wrap the next handler in a middleware; like Django, convert exceptions to responses."""
    return convert_exception_to_response(step(next_handler))
