"""Invariant class."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A promise, and the query for rows that break it: tenant, name of the object, detail."""

    name: str
    promise: str
    offenders: str
