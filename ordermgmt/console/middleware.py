"""What only the console needs around a request: session, person, messages, and a strict CSP.

The API has neither cookies nor sessions: its requests pay for one comparison, and go past.
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
NOTICED: Final = 60  # seconds: who was seen is written down no more often
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


class Ending(MiddlewareMixin):
    """Signs people out who were away too long, or in too long, whatever their cookie says."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        now, session = int(time.time()), request.session
        since, seen = session.get("since", now), session.get("seen", now)
        if now - seen > settings.SESSION_IDLE_SECONDS or now - since > settings.SESSION_COOKIE_AGE:
            logout(request)
        elif "since" not in session or now - seen >= NOTICED:
            session.update({"since": since, "seen": now})


INSIDE: Final = (  # CSRF's check stands before
    AuthenticationMiddleware,
    OTPMiddleware,
    Ending,
    MessageMiddleware,
    AxesMiddleware,
)


class ConsoleMiddleware:
    """The way to the console's views leads through all of this; the way to all others past it."""

    def __init__(self, get_response: Respond) -> None:
        self.past = through = get_response
        for step in reversed(INSIDE):
            through = _step(step, through)
        self.csrf = CsrfViewMiddleware(through)
        self.through = _step(SessionMiddleware, convert_exception_to_response(self.csrf))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.past(request)
        response: HttpResponseBase = self.through(request)
        # Scripts and styles from our own files only: what is stored can never run.
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        # With none, browsers would send forms from nowhere, and CSRF's check refuses those.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def process_view(
        self, request: HttpRequest, callback: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if request.path_info.startswith(PREFIX):
            return self.csrf.process_view(request, callback, args, kwargs)
        return None


def _step(step: Callable[[Any], Any], onward: Respond) -> Respond:
    """As Django chains them: whatever a step raises is an answer to those around it."""
    return convert_exception_to_response(step(onward))
