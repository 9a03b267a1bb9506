"""Password hasher for client secrets: one pass of salted SHA-256.

Slow hashes protect secrets that people choose. Client secrets have at least 43 random characters
(256 bits), so they cannot be guessed even with a fast hash. A slow hash takes 0.25 s of CPU, so a
few wrong secrets a second would saturate the machine. Staff passwords keep Django's slow hasher.
"""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class OnePassHasher(BasePasswordHasher):
    """Hashes of the form `one_pass_sha256$<salt>$<hex>`, only for secrets that we generate."""

    algorithm = "one_pass_sha256"

    def encode(self, password: str, salt: str) -> str:
        self._check_encode_args(password, salt)  # type: ignore[attr-defined]
        digest = hashlib.sha256(f"{salt}{password}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return constant_time_compare(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return {"algorithm": self.algorithm}

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing, because every secret costs the same single pass."""
