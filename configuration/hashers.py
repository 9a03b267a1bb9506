"""How client secrets are stored: one pass of salted SHA-256.

Slow hashes protect secrets that people chose. Ours are 43 and more random characters (256 bits):
nobody can guess them however fast the hash, and a slow one would let a handful of wrong secrets a
second saturate the machine (0.25 s of CPU each). Staff passwords keep Django's slow hasher.
"""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class OnePassHasher(BasePasswordHasher):
    """`one_pass_sha256$<salt>$<hex>`; only for secrets that we generated ourselves."""

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
        """Nothing to make up for: every secret costs the same one pass."""
