"""How the console words what is configured: values, and what a change changed."""

import json
from typing import Any


def titled(name: str) -> str:
    """A member's name as a label."""
    return name.replace("_", " ").capitalize()


def as_text(value: Any) -> str:
    """A value for people: yes and no, lists with commas, and a word for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "–" if value in (None, "") else str(value)


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
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
