"""The one door to tenants, clients and configuration; only these modules write.

`tenants`, `clients`, `locations`, `service_levels` and `tokens` are asked by name; what every
caller needs, reading and writing settings, stands here.
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
