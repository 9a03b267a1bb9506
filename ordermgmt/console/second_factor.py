"""The second thing besides a password: enrolling a phone, and what its codes and paper are worth.

A phone's code (RFC 6238) is good once. Ten recovery codes, shown when a phone is enrolled, stand in
for a lost one, each once; only their checksums are kept. Wrong codes cost time, never the account.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP

from ordermgmt import encryption
from ordermgmt.errors import Forbidden, Invalid
from ordermgmt.models import SecondFactor

ISSUER: Final = "ordermgmt"
RECOVERY_CODES: Final = 10
DRIFT: Final = 1  # half minutes a phone's clock may be off, either way
FREE_FAILURES: Final = 4  # typing errors; after them each costs twice the time of the one before
LONGEST_WAIT: Final = 300  # seconds: a stolen password must not keep its owner out
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none is taken for another
_GROUPS, _LETTERS = 4, 4  # 79 random bits: why one pass of hashing is enough


class WrongCode(Invalid):
    code = "wrong_code"


class TooManyCodes(Forbidden):
    code = "too_many_codes"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a phone is enrolled by: to be scanned, or typed."""

    uri: str
    secret: str


def is_required(user: Any) -> bool:
    """Whether a password alone does not let this person in: everybody's but the demo's people."""
    membership = getattr(user, "membership", None)
    return membership is None or bool(membership.needs_second_factor)


def is_enrolled(user: Any) -> bool:
    """Whether a phone of theirs was confirmed by a code."""
    return SecondFactor.objects.filter(user=user, confirmed=True).exists()


def offer(user: Any) -> Offer:
    """A secret to enroll a phone by; the same until it is confirmed, so a page may be reloaded."""
    device, _ = SecondFactor.objects.get_or_create(
        user=user,
        defaults={
            "name": "phone",
            "confirmed": False,
            "key": encryption.seal(
                secrets.token_bytes(20), associated_data=associated_data(user.pk)
            ),
        },
    )
    text = base64.b32encode(_key(device)).decode().rstrip("=")
    label = quote(f"{ISSUER}:{user.get_username()}")
    return Offer(f"otpauth://totp/{label}?secret={text}&issuer={ISSUER}", text)


@transaction.atomic
def confirm(user: Any, *, code: str) -> tuple[SecondFactor, list[str]]:
    """Enroll the phone that shows this code; the recovery codes, which nobody sees again."""
    device = SecondFactor.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not _is_from_phone(device, code):
        raise WrongCode("This is not the code the phone should show now. Is its clock right?")
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    device.recovery_codes = [_checksum(device, code) for code in codes]
    device.confirmed = True
    device.save()
    return device, codes


def verify(user: Any, *, code: str) -> SecondFactor:
    """The person's device, if the code is its phone's now or one of its recovery codes."""
    with transaction.atomic():
        device = SecondFactor.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            raise WrongCode("No phone is enrolled.")
        if (wait := _wait(device)) > 0:
            raise TooManyCodes(f"Too many wrong codes. Try again in {wait} s.")
        good = _is_from_phone(device, code) or _is_from_paper(device, code)
        device.failures = 0 if good else device.failures + 1
        device.failed_at = None if good else timezone.now()
        device.save()
    if not good:
        raise WrongCode("This code is wrong, or was used before.")
    return device


def forget(user: Any) -> None:
    """The person enrolls anew; where they are signed in by the old one, they no longer are."""
    SecondFactor.objects.filter(user=user).delete()


@transaction.atomic
def reseal(pk: int) -> bool:
    """Put a phone's key under the newest key of the ring; whether it was not yet."""
    device = SecondFactor.objects.select_for_update().get(pk=pk)
    sealed = encryption.reseal(device.key, associated_data=associated_data(device.user_id))
    if sealed == device.key:
        return False
    device.key = sealed
    device.save(update_fields=["key"])
    return True


def associated_data(user_id: int) -> str:
    """Where a key is stored, for sealing it."""
    return f"user/{user_id}/second_factor"


def _key(device: SecondFactor) -> bytes:
    return encryption.open_sealed(device.key, associated_data=associated_data(device.user_id))


def _is_from_phone(device: SecondFactor, code: str) -> bool:
    """And notes its half minute, so that it is not good again."""
    digits = code.replace(" ", "")
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return False
    phone = TOTP(_key(device))
    if not phone.verify(int(digits), tolerance=DRIFT, min_t=device.last_step + 1):
        return False
    device.last_step = phone.t()
    return True


def _is_from_paper(device: SecondFactor, code: str) -> bool:
    """And strikes it off."""
    checksum = _checksum(device, code)
    if checksum not in device.recovery_codes:
        return False
    device.recovery_codes.remove(checksum)
    return True


def _wait(device: SecondFactor) -> int:
    """Seconds until another code is looked at."""
    if device.failed_at is None or device.failures < FREE_FAILURES:
        return 0
    cost = min(2 ** min(device.failures - FREE_FAILURES, 16), LONGEST_WAIT)
    left = device.failed_at + timedelta(seconds=cost) - timezone.now()
    return max(0, -(-left // timedelta(seconds=1)))


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _checksum(device: SecondFactor, code: str) -> str:
    letters = "".join(code.lower().replace("-", " ").split())
    return hashlib.sha256(f"{device.user_id}:{letters}".encode()).hexdigest()
