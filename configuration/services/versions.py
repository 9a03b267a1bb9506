"""Rows that several people change: changes count, and one made by an old picture is refused."""

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
    """Make the row of that key, or change it to be exactly so; the same again changes nothing.

    Raises `VersionMismatch` when `if_match` is given and lacks the row's version; a row that does
    not exist has version 0.
    """
    with transaction.atomic():
        rows = model._default_manager.select_for_update()
        row, made = rows.get_or_create(defaults=values, **key)
        version = 0 if made else row.version  # type: ignore[attr-defined]
        if version and if_match == {0}:
            raise VersionMismatch("There is one of that name already.", version=version)
        check(version, if_match)
        return row if made else change(row, values)


def change(row: Row, values: dict[str, Any]) -> Row:
    """Change a row that is locked, and count it."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, values[name])
        row.version += 1  # type: ignore[attr-defined]
        row.save(update_fields=[*changed, "version"])
    return row


def check(version: int, if_match: AbstractSet[int] | None) -> None:
    """Refuse a change that was made looking at another version than this."""
    if if_match is None or version in if_match:
        return
    raise VersionMismatch(
        f"It was changed meanwhile, and is at version {version}." if version else "It is gone.",
        version=version,
    )
