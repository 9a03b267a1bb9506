"""What only the console needs around a request: session, person, messages, and a strict CSP.

The API has neither cookies nor sessions. Each of these steps aside for every address outside the
console, so that the hot paths pay one comparison for each and nothing else.
"""

import time
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django_otp.middleware import OTPMiddleware

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


class _OnlyThere:
    """Steps aside outside the console."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PREFIX):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)  # type: ignore[attr-defined]


class Csp:
    """Scripts and styles from our own files only: what is stored can never run."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.startswith(PREFIX):
            response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
            # With none, browsers would send forms from nowhere, and CSRF's check refuses those.
            response.headers["Referrer-Policy"] = "same-origin"
        return response


class Sessions(_OnlyThere, SessionMiddleware):
    pass


class Csrf(_OnlyThere, CsrfViewMiddleware):
    def process_view(
        self, request: HttpRequest, callback: Any, args: Any, kwargs: Any
    ) -> HttpResponseForbidden | None:
        if request.path_info.startswith(PREFIX):
            return super().process_view(request, callback, args, kwargs)
        return None


class Authentication(_OnlyThere, AuthenticationMiddleware):
    pass


class SecondFactor(_OnlyThere, OTPMiddleware):
    pass


class Ending(_OnlyThere, MiddlewareMixin):
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


class Messages(_OnlyThere, MessageMiddleware):
    pass
