"""Texts of configuration values and of their changes."""

import datetime as dt
import json
from typing import Any, Final

from configuration.registry import Key

ACRONYMS: Final = {"url": "URL", "api": "API", "oms": "OMS"}
MINUTE: Final = 60  # seconds


def titled(name: str) -> str:
    """Return a member's name as a label."""
    words = [ACRONYMS.get(word, word) for word in name.split("_")]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


def duration(seconds: int) -> str:
    """Return for instance "900 seconds (15 min)"; below a minute only the seconds."""
    text = f"{seconds:,} seconds"
    if seconds < MINUTE:
        return text
    units = (("d", 86400), ("h", 3600), ("min", MINUTE), ("s", 1))
    parts, rest = [], seconds
    for unit, size in units:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] * bool(count)
    return f"{text} ({' '.join(parts)})"


def as_text(value: Any) -> str:
    """Return a value as text: yes or no, lists with commas, a dash for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "–" if value in (None, "") else str(value)


def shown(key: Key[Any], value: Any) -> list[tuple[str, str]]:
    """Return labels and texts of a key's value, with secrets masked."""
    document = key.masked(value)
    if key.unit == "seconds":
        return [("", duration(document))]
    return lines(document)


def lines(document: Any) -> list[tuple[str, str]]:
    """Return label and text of each member; the label is empty for a value that is no object."""
    if not isinstance(document, dict):
        return [("", as_text(document))]
    return [(titled(name), as_text(part)) for name, part in document.items()]


def differences(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """Return label, old text and new text of the members that differ."""
    before, after = dict(lines(old) if old is not None else []), dict(lines(new))
    # Sorted, because jsonb does not keep the order of members.
    return [
        (name, before.get(name, "not set"), after.get(name, "–"))
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    ]
