"""Encryption of secrets at rest: AES-256-GCM with a key id and associated data.

A sealed text is `v1.<key id>.<base64 of nonce and ciphertext>`. The place says where the text
lives (tenant, table, field), so what is copied to another row does not open there. Keys come from
`settings.ENCRYPTION_KEYS`, newest first: the first seals, all open. To rotate, put a new key in
front and `reseal` what is stored.
"""

import base64
import os
import re
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION: Final = "v1"
_NONCE_BYTES: Final = 12
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class CannotOpen(Exception):
    """The text was changed, was sealed for another place, or its key is no longer configured."""


def seal(secret: bytes, *, place: str) -> str:
    """Return the secret as text that only `open_sealed` with the same place can read."""
    key_id, cipher = next(iter(_ring().items()))
    nonce = os.urandom(_NONCE_BYTES)
    body = nonce + cipher.encrypt(nonce, secret, place.encode())
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(body).decode()}"


def open_sealed(text: str, *, place: str) -> bytes:
    """Return the secret that was sealed for this place; raise `CannotOpen` without its content."""
    try:
        version, key_id, encoded = text.split(".")
        body = base64.urlsafe_b64decode(encoded)
    except ValueError:
        raise CannotOpen("This is not a sealed text.") from None
    cipher = _ring().get(key_id)
    if version != VERSION or cipher is None:
        raise CannotOpen(f"No key {key_id[:32]!r} is configured in ENCRYPTION_KEYS.")
    try:
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen("This text was changed, or was sealed for another place.") from None


def reseal(text: str, *, place: str) -> str:
    """Return the secret sealed with the newest key, or the same text if it already is."""
    if text.startswith(f"{VERSION}.{next(iter(_ring()))}."):
        return text
    return seal(open_sealed(text, place=place), place=place)


def _ring() -> dict[str, AESGCM]:
    return _parse_ring(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _parse_ring(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Return key id → cipher, newest first; cached per list, so tests may override the setting."""
    ring: dict[str, AESGCM] = {}
    for position, entry in enumerate(keys):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32 or not _KEY_ID.fullmatch(key_id) or key_id in ring:
            raise ImproperlyConfigured(
                f"ENCRYPTION_KEYS[{position}] must be `id:base64 of 32 bytes`, each id once."
            )
        ring[key_id] = AESGCM(key)
    if not ring:
        raise ImproperlyConfigured("ENCRYPTION_KEYS needs at least one `id:base64 of 32 bytes`.")
    return ring
