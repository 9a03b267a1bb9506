"""Second factor of a sign-in: enrollment of a phone, its codes, and recovery codes.

A phone's code (RFC 6238) is valid once. Ten recovery codes, shown at enrollment, replace a lost
phone, each once; only their checksums are stored. Wrong codes delay the next attempt but never lock
the account.
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
DRIFT: Final = 1  # steps of 30 seconds that a phone's clock may be off, either way
FREE_FAILURES: Final = 4  # without a delay; each later failure doubles the delay
LONGEST_WAIT: Final = 300  # seconds, so that guesses do not lock the owner out
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike
_GROUPS, _LETTERS = 4, 4  # 79 random bits, so one pass of hashing is enough


class WrongCode(Invalid):
    code = "wrong_code"


class TooManyCodes(Forbidden):
    code = "too_many_codes"


@dataclass(frozen=True, slots=True)
class Offer:
    """The secret of an enrollment: as a URI to scan, and as text to type."""

    uri: str
    secret: str


def is_required(user: Any) -> bool:
    """True unless a password is enough for this person, as for the demo's staff."""
    membership = getattr(user, "membership", None)
    return membership is None or bool(membership.needs_second_factor)


def is_enrolled(user: Any) -> bool:
    """True if the person has confirmed a phone by a code."""
    return SecondFactor.objects.filter(user=user, confirmed=True).exists()


def offer(user: Any) -> Offer:
    """Return the secret for an enrollment; the same until it is confirmed, so pages may reload."""
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
    """Enroll the phone that shows this code; return it and the recovery codes.

    Raises `WrongCode`. The recovery codes cannot be read again.
    """
    device = SecondFactor.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not _use_phone_code(device, code):
        raise WrongCode("This is not the code the phone should show now. Is its clock right?")
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    device.recovery_codes = [_checksum(device, code) for code in codes]
    device.confirmed = True
    device.save()
    return device, codes


def verify(user: Any, *, code: str) -> SecondFactor:
    """Return the person's device if the code is its phone's or one of its recovery codes.

    Raises `WrongCode` or `TooManyCodes`.
    """
    with transaction.atomic():
        device = SecondFactor.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            raise WrongCode("No phone is enrolled.")
        if (wait := _wait(device)) > 0:
            raise TooManyCodes(f"Too many wrong codes. Try again in {wait} s.")
        is_valid = _use_phone_code(device, code) or _use_recovery_code(device, code)
        device.failures = 0 if is_valid else device.failures + 1
        device.failed_at = None if is_valid else timezone.now()
        device.save()
    if not is_valid:
        raise WrongCode("This code is wrong, or was used before.")
    return device


def forget(user: Any) -> None:
    """Delete the person's phone; sessions signed in by it end, and a new one must be enrolled."""
    SecondFactor.objects.filter(user=user).delete()


@transaction.atomic
def reseal(pk: int) -> bool:
    """Encrypt a phone's key by the newest key of the ring; return False if it already was."""
    device = SecondFactor.objects.select_for_update().get(pk=pk)
    sealed = encryption.reseal(device.key, associated_data=associated_data(device.user_id))
    if sealed == device.key:
        return False
    device.key = sealed
    device.save(update_fields=["key"])
    return True


def associated_data(user_id: int) -> str:
    """Return the associated data of a phone's encrypted key."""
    return f"user/{user_id}/second_factor"


def _key(device: SecondFactor) -> bytes:
    return encryption.open_sealed(device.key, associated_data=associated_data(device.user_id))


def _use_phone_code(device: SecondFactor, code: str) -> bool:
    """Check a phone's code, and record its time step so that it is not valid again."""
    digits = code.replace(" ", "")
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return False
    phone = TOTP(_key(device))
    if not phone.verify(int(digits), tolerance=DRIFT, min_t=device.last_step + 1):
        return False
    device.last_step = phone.t()
    return True


def _use_recovery_code(device: SecondFactor, code: str) -> bool:
    """Check a recovery code, and remove it so that it is not valid again."""
    checksum = _checksum(device, code)
    if checksum not in device.recovery_codes:
        return False
    device.recovery_codes.remove(checksum)
    return True


def _wait(device: SecondFactor) -> int:
    """Return the seconds until another code is accepted."""
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
