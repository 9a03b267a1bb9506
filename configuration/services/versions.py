"""Optimistic locking of configuration rows by a version that every change increments."""

from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from django.db import models, transaction

from ordermgmt.errors import PreconditionFailed

Row = TypeVar("Row", bound=models.Model)


class VersionMismatch(PreconditionFailed):
    code = "version_mismatch"


def put(
    model: type[Row],
    *,
    key: dict[str, Any],
    values: dict[str, Any],
    if_match: AbstractSet[int] | None,
) -> Row:
    """Create the row of that key, or replace all its values; equal values change nothing.

    Raises `VersionMismatch` when `if_match` is given and lacks the row's version; a row that does
    not exist has version 0.
    """
    with transaction.atomic():
        rows = model._default_manager.select_for_update()
        row, is_new = rows.get_or_create(defaults=values, **key)
        version = 0 if is_new else row.version  # type: ignore[attr-defined]
        if version and if_match == {0}:
            raise VersionMismatch("There is one of that name already.", version=version)
        check(version, if_match)
        return row if is_new else change(row, values)


def change(row: Row, values: dict[str, Any]) -> Row:
    """Set the values of a locked row, and increment its version if any of them is new."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, values[name])
        row.version += 1  # type: ignore[attr-defined]
        row.save(update_fields=[*changed, "version"])
    return row


def check(version: int, if_match: AbstractSet[int] | None) -> None:
    """Raise `VersionMismatch` unless `if_match` is None or has this version."""
    if if_match is None or version in if_match:
        return
    raise VersionMismatch(
        f"It was changed meanwhile, and is at version {version}." if version else "It is gone.",
        version=version,
    )
