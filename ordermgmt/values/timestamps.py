"""The text form of every time that leaves the service."""

import datetime as dt
from typing import Final, Literal

# The same form as `timestamp(at, timespec="milliseconds")`, for statements of PostgreSQL.
_SQL_FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'


def timestamp(
    at: dt.datetime,
    *,
    timespec: Literal["milliseconds", "microseconds"] = "microseconds",
    has_zone: bool = True,
) -> str:
    """Return `at` in UTC, always with a fraction: six digits, or the three that events have.

    `has_zone=False` leaves out the `Z`, as version 1 of the order routes is documented.
    """
    text = at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec=timespec)
    return f"{text}Z" if has_zone else text


def timestamp_sql(column: str) -> str:
    """Return the SQL expression that writes a `timestamptz` column as events have it."""
    return f"to_char({column} AT TIME ZONE 'UTC', '{_SQL_FORMAT}')"
