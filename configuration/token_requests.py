"""Parsing of token requests: a small form or JSON object, and HTTP Basic credentials."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from configuration.services.tokens import InvalidClient
from ordermgmt import errors, strict_json
from ordermgmt.http.negotiation import BodyTooLarge, check_content_encoding

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
LARGEST_BODY: Final = 16_384  # bytes; a refresh token is about 400
_BASIC: Final = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE | re.ASCII)
# The parameters that are read. All others are ignored, as RFC 6749 requires.
_NAMES: Final = frozenset(
    {
        *("grant_type", "client_id", "client_secret", "scope", "token"),
        *("username", "password", "refresh_token"),
    }
)
# These are refused in a URL, because access logs and browser histories store it.
_CREDENTIALS: Final = ("password", "client_secret", "refresh_token", "token", "access_token")


class InvalidRequest(errors.Invalid):
    code = "invalid_request"


class BadTokenRequest(errors.Invalid):
    code = "bad_request"


class Credentials(NamedTuple):
    client_id: str
    client_secret: str


def parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a form or JSON body that this API reads, all of them strings.

    Raises `BodyTooLarge`, `UnsupportedMediaType`, and `BadTokenRequest` for a malformed body, for
    a parameter that is repeated and for credentials in the URL.
    """
    for name in _CREDENTIALS:
        if name in request.query_params:
            raise BadTokenRequest(f"The query parameter {name} is not allowed.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise BodyTooLarge
    check_content_encoding(request.META)
    body = request._request.body
    media = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if not body:
        return {}
    if media not in (FORM, JSON):
        raise UnsupportedMediaType(media[:80])
    data = strict_json.loads_tolerant(body) if media == JSON else _form(body)
    pairs = {name: data[name] for name in _NAMES & data.keys()} if isinstance(data, dict) else None
    if pairs is None or not all(isinstance(text, str) for text in pairs.values()):
        raise BadTokenRequest("The body must be an object whose known members are strings.")
    if not all(text.isprintable() for text in pairs.values()):
        raise BadTokenRequest("The body holds characters that nobody can print.")
    return pairs


def credentials(request: Request, fields: Mapping[str, str]) -> Credentials:
    """Return the client's credentials from the header or from the body.

    Raises `InvalidRequest` when both have credentials, and `InvalidClient` when they are missing or
    malformed.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header and "client_secret" in fields:
        raise InvalidRequest("Send the client's credentials once: in the header or in the body.")
    return _basic(header) if header else _in_body(fields)


def _basic(header: str) -> Credentials:
    """Return the credentials of HTTP Basic, which are form-encoded (RFC 6749 section 2.3.1)."""
    match = _BASIC.fullmatch(header)
    try:
        text = base64.b64decode(match[1] if match else "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, _, client_secret = text.partition(":")
    pair = Credentials(unquote_plus(client_id), unquote_plus(client_secret))
    if not all(part and part.isprintable() for part in pair):
        raise InvalidClient("Invalid client or Invalid client credentials")
    return pair


def _in_body(fields: Mapping[str, str]) -> Credentials:
    if not fields.get("client_id") or not fields.get("client_secret"):
        raise InvalidClient("Invalid client or Invalid client credentials")
    return Credentials(fields["client_id"], fields["client_secret"])


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict"
        )
    except ValueError:
        raise BadTokenRequest("The form is malformed.") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise BadTokenRequest("A parameter is given more than once.")
    return dict(pairs)
