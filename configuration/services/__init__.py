"""Entry point to tenants, clients and settings; only these modules write them.

Import `tenants`, `clients`, `locations`, `service_levels` and `tokens` as modules. Functions that
every caller needs, such as `read` and `write` of settings, are exported here.
"""

from configuration.services.sequences import sequence_name
from configuration.services.settings import (
    AlreadySet,
    LostRace,
    Stored,
    read,
    write,
)
from configuration.services.versions import VersionMismatch

__all__ = [
    "AlreadySet",
    "LostRace",
    "Stored",
    "VersionMismatch",
    "read",
    "sequence_name",
    "write",
]
