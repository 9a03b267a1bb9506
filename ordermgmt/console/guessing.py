"""Against guessed passwords: how many attempts an address has, and that they come one by one.

django-axes counts and locks by name and address together; here is what it lacks.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from ordermgmt.addresses import client_address


def address_of(request: HttpRequest) -> str:
    """The caller's address, as our outermost trusted proxy saw it."""
    peer, forwarded = (request.META.get(key, "") for key in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR"))
    return client_address(peer, forwarded, settings.TRUSTED_PROXIES)


def is_tired_of(address: str) -> bool:
    """Whether this address guessed too often of late, under whatever names."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    failed = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
    total = failed.aggregate(total=Sum("failures_since_start"))["total"]
    return (total or 0) >= settings.FAILURES_FROM_ONE_ADDRESS


@contextmanager
def one_at_a_time(name: str) -> Iterator[bool]:
    """Whether nobody else is signing in by this name now: many at once would not be counted."""
    digest = hashlib.sha256(f"sign in {name}".encode()).digest()
    key = int.from_bytes(digest[:8], signed=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        yield bool(cursor.fetchone()[0])
