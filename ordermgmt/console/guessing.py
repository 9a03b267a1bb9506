"""Limits on password guessing: failures by address, one sign-in at a time, and known devices.

django-axes counts and locks by name and address together; this module adds the rest.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import connection, transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from ordermgmt.http.addresses import client_address

KNOWN_FOR: Final = 180 * 24 * 3600  # seconds since the last sign-in on a device
MOST_PEOPLE: Final = 8  # remembered on one device, the latest first
_DEVICE_SALT: Final = "ordermgmt.console.device"


def address_of(request: HttpRequest) -> str:
    """Return the caller's address, as our outermost trusted proxy saw it."""
    peer, forwarded = (request.META.get(key, "") for key in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR"))
    return client_address(peer, forwarded, settings.TRUSTED_PROXIES)


def origin_of(request: HttpRequest) -> str:
    """Return the address that a sign-in is counted by; AXES_CLIENT_IP_CALLABLE.

    A device where the same person signed in before has an address of its own, so that guesses by
    others behind the same proxy do not lock it. The address is a hash of the device's id in a range
    that is never routed, because django-axes counts by address.
    """
    device = _known_device(request)
    if device is None:
        return address_of(request)
    digest = hashlib.sha256(f"device {device}".encode()).digest()
    return str(ipaddress.IPv6Address(b"\xfd" + digest[:15]))


def remember_device(request: HttpRequest, response: HttpResponseBase, user: Any) -> None:
    """Set the device cookie after a complete sign-in of this person."""
    cookie = _cookie(request)
    device = cookie.get("device") or secrets.token_hex(16)
    others = [pk for pk in cookie.get("people", []) if pk != user.pk]
    people = [user.pk, *others][:MOST_PEOPLE]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps({"device": device, "people": people}, salt=_DEVICE_SALT),
        max_age=KNOWN_FOR,
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known_device(request: HttpRequest) -> str | None:
    """Return the device's id if the person signing in has signed in on it before."""
    cookie, name = _cookie(request), request.POST.get("username", "")
    if not cookie or "\0" in name:
        return None
    people = get_user_model().objects.filter(pk__in=cookie["people"], username=name)
    return str(cookie["device"]) if people.exists() else None


def _cookie(request: HttpRequest) -> dict[str, Any]:
    """Return the content of the device cookie; empty if it is absent or not signed by us."""
    text = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    try:
        content: dict[str, Any] = signing.loads(text, salt=_DEVICE_SALT, max_age=KNOWN_FOR)
    except signing.BadSignature:
        return {}
    return content


def is_tired_of(address: str) -> bool:
    """True if this address failed too often recently, with any username."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    failed = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
    total = failed.aggregate(total=Sum("failures_since_start"))["total"]
    return (total or 0) >= settings.FAILURES_FROM_ONE_ADDRESS


@contextmanager
def one_at_a_time(request: HttpRequest) -> Iterator[bool]:
    """Yield True if no other sign-in with this name is running.

    Parallel sign-ins are refused, because django-axes does not count all of them. A known device
    has a lock of its own.
    """
    name = f"{request.POST.get('username', '')} {_known_device(request) or ''}"
    digest = hashlib.sha256(f"sign in {name}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        yield bool(cursor.fetchone()[0])
