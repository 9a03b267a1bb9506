"""How the console words what is configured: values, and what a change changed."""

import datetime as dt
import json
from typing import Any, Final

from configuration.registry import Key

ACRONYMS: Final = {"url": "URL", "api": "API", "oms": "OMS"}
MINUTE: Final = 60  # seconds


def titled(name: str) -> str:
    """A member's name as a label."""
    words = [ACRONYMS.get(word, word) for word in name.split("_")]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


def duration(seconds: int) -> str:
    """ "900 seconds (15 min)"; what is less than a minute needs no translation."""
    told = f"{seconds:,} seconds"
    if seconds < MINUTE:
        return told
    units = (("d", 86400), ("h", 3600), ("min", MINUTE), ("s", 1))
    parts, rest = [], seconds
    for unit, size in units:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] * bool(count)
    return f"{told} ({' '.join(parts)})"


def as_text(value: Any) -> str:
    """A value for people: yes and no, lists with commas, and a word for nothing."""
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
    """What a key is set to, member by member, as people may see it."""
    document = key.masked(value)
    if key.unit == "seconds":
        return [("", duration(document))]
    return lines(document)


def lines(document: Any) -> list[tuple[str, str]]:
    """A masked value, member by member: a label (empty for a value that is no object) and text."""
    if not isinstance(document, dict):
        return [("", as_text(document))]
    return [(titled(name), as_text(part)) for name, part in document.items()]


def differences(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """What a change changed: label, before and after, of the members that differ."""
    before, after = dict(lines(old) if old is not None else []), dict(lines(new))
    return [
        (name, before.get(name, "not set"), after.get(name, "–"))
        for name in sorted({**before, **after})  # as PostgreSQL keeps them, they have no order
        if before.get(name) != after.get(name)
    ]
