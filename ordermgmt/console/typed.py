"""Typed text of forms that were refused for their session, kept until the author signs in again.

Each form names who it was rendered for, signed. What such a form said waits in the browser's
session on our side, sealed for this person and this page, and is offered to nobody else.
"""

import json
from collections.abc import Iterable
from time import time as now
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core import signing
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, QueryDict

from ordermgmt import encryption

FIELD: Final = "form_owner"
KEY: Final = "typed"  # in the session
KEPT_FOR: Final = 1800  # seconds
MOST: Final = 4  # forms of one browser
LARGEST: Final = 300_000  # bytes: the keys of as many orders as can be changed at once
OFFERED: Final = "You had to sign in again. Your text is back in the form; nothing was saved yet."
_SALT: Final = "ordermgmt.console.typed"
_OLDEST: Final = 24 * 3600  # seconds: a session is shorter


def mark(user: Any, secrets: Iterable[str] = ()) -> str:
    """Return who a form is rendered for, signed, with the fields that are never kept."""
    return signing.dumps([user.pk, sorted(secrets)], salt=_SALT)


def owner(request: HttpRequest) -> int | None:
    """Return whom a form that was sent had been rendered for; None if we did not say so."""
    return None if (said := _said(request)) is None else said[0]


def keep(request: HttpRequest) -> bool:
    """Keep what a form says for its owner; return whether there was something to keep."""
    said = _said(request)
    if said is None:
        return False
    whose, secrets = said
    left_out = {FIELD, "csrfmiddlewaretoken", *secrets}
    lists = {name: parts for name, parts in request.POST.lists() if name not in left_out}
    text = json.dumps(lists).encode()
    if len(text) > LARGEST:
        return False
    sealed = encryption.seal(text, associated_data=_place(whose, request.path))
    entry = {"path": request.path, "owner": whose, "at": int(now()), "text": sealed}
    others = [kept for kept in request.session.get(KEY, []) if kept["path"] != request.path]
    request.session[KEY] = [*others, entry][-MOST:]
    return True


def take(request: HttpRequest, path: str | None = None) -> QueryDict | None:
    """Return what this person had typed on this page, once; drop what is others' or too old."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    path = path or request.path
    whose: int = request.user.pk  # type: ignore[assignment]  # only who is signed in gets here
    valid = [e for e in kept if e["owner"] == whose and now() - e["at"] <= KEPT_FOR]
    others = [entry for entry in valid if entry["path"] != path]
    if others:
        request.session[KEY] = others
    else:
        del request.session[KEY]
    for entry in valid:
        if entry["path"] == path:
            return _opened(entry["text"], _place(whose, path))
    return None


def restore(request: HttpRequest, form: forms.BaseForm, path: str | None = None) -> bool:
    """Fill a form that is not sent yet with what this person had typed; say so if there was."""
    data = take(request, path)
    if data is None:
        return False
    fill(form, data)
    messages.warning(request, OFFERED)
    return True


def fill(form: forms.BaseForm, data: QueryDict) -> None:
    """Make what was typed the form's initial values; what it did not say stays."""
    for name, field in form.fields.items():
        html_name = form.add_prefix(name)
        if field.widget.value_omitted_from_data(data, {}, html_name):
            continue
        value = field.widget.value_from_datadict(data, {}, html_name)
        form.initial[name] = (
            InvalidJSONInput(value) if isinstance(field, forms.JSONField) else value
        )


def _said(request: HttpRequest) -> tuple[int, list[str]] | None:
    try:
        whose, secrets = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=_OLDEST)
    except signing.BadSignature:
        return None
    return whose, secrets


def _opened(sealed: str, place: str) -> QueryDict | None:
    try:
        lists = json.loads(encryption.open_sealed(sealed, associated_data=place))
    except encryption.CannotOpen:
        return None
    data = QueryDict(mutable=True)
    for name, parts in lists.items():
        data.setlist(name, parts)
    return data


def _place(whose: int, path: str) -> str:
    return f"user/{whose}/typed{path}"
