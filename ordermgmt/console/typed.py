"""Typed text of forms that were refused for their session, kept until the author signs in again.

Each form carries the signed id of the person it was rendered for. Its text is stored in the session
on our side, encrypted for this person and page, and is shown to nobody else.
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
LARGEST: Final = 300_000  # bytes, enough for the keys of the largest bulk job
OFFERED: Final = "You had to sign in again. Your text is back in the form; nothing was saved yet."
_SALT: Final = "ordermgmt.console.typed"
_OLDEST: Final = 24 * 3600  # seconds, more than a session lasts


def mark(user: Any, secrets: Iterable[str] = ()) -> str:
    """Return a signed token with the person a form is rendered for, and its secret fields."""
    return signing.dumps([user.pk, sorted(secrets)], salt=_SALT)


def owner(request: HttpRequest) -> int | None:
    """Return the id of the person a form was rendered for; None without a valid token."""
    return None if (token := _read_token(request)) is None else token[0]


def keep(request: HttpRequest) -> bool:
    """Store the text of a posted form for its owner; return True if it was stored."""
    token = _read_token(request)
    if token is None:
        return False
    owner_id, secrets = token
    left_out = {FIELD, "csrfmiddlewaretoken", *secrets}
    lists = {name: parts for name, parts in request.POST.lists() if name not in left_out}
    text = json.dumps(lists).encode()
    if len(text) > LARGEST:
        return False
    sealed = encryption.seal(text, associated_data=_associated_data(owner_id, request.path))
    entry = {"path": request.path, "owner": owner_id, "at": int(now()), "text": sealed}
    others = [e for e in request.session.get(KEY, []) if e["path"] != request.path]
    request.session[KEY] = [*others, entry][-MOST:]
    return True


def take(request: HttpRequest, path: str | None = None) -> QueryDict | None:
    """Return and remove the text this person typed on this page; drop other and expired entries."""
    entries = request.session.get(KEY)
    if not entries:
        return None
    path = path or request.path
    owner_id: int = request.user.pk  # type: ignore[assignment]  # the person is signed in
    valid = [e for e in entries if e["owner"] == owner_id and now() - e["at"] <= KEPT_FOR]
    others = [entry for entry in valid if entry["path"] != path]
    if others:
        request.session[KEY] = others
    else:
        del request.session[KEY]
    for entry in valid:
        if entry["path"] == path:
            return _decrypted(entry["text"], _associated_data(owner_id, path))
    return None


def restore(request: HttpRequest, form: forms.BaseForm, path: str | None = None) -> bool:
    """Fill a form with the text this person typed before, with a message; return True if it did."""
    data = take(request, path)
    if data is None:
        return False
    fill(form, data)
    messages.warning(request, OFFERED)
    return True


def fill(form: forms.BaseForm, data: QueryDict) -> None:
    """Set the form's initial values to the typed text; absent fields keep theirs."""
    for name, field in form.fields.items():
        html_name = form.add_prefix(name)
        if field.widget.value_omitted_from_data(data, {}, html_name):
            continue
        value = field.widget.value_from_datadict(data, {}, html_name)
        form.initial[name] = (
            InvalidJSONInput(value) if isinstance(field, forms.JSONField) else value
        )


def _read_token(request: HttpRequest) -> tuple[int, list[str]] | None:
    try:
        owner_id, secrets = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=_OLDEST)
    except signing.BadSignature:
        return None
    return owner_id, secrets


def _decrypted(sealed: str, associated_data: str) -> QueryDict | None:
    try:
        lists = json.loads(encryption.open_sealed(sealed, associated_data=associated_data))
    except encryption.CannotOpen:
        return None
    data = QueryDict(mutable=True)
    for name, parts in lists.items():
        data.setlist(name, parts)
    return data


def _associated_data(owner_id: int, path: str) -> str:
    return f"user/{owner_id}/typed{path}"
