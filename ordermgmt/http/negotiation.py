"""Content negotiation: Accept, Content-Type, and JSON rendering."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import IO, Any, ClassVar, Final

from django.conf import settings
from pydantic import BaseModel
from rest_framework import exceptions, parsers, renderers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from ordermgmt import strict_json

JSON: Final = "application/json"
_ORDERS: Final = "application/x.newstore.orders+json"
_ORDERS_V1: Final = f"{_ORDERS};version=1"
ORDERS_V2: Final = f"{_ORDERS};version=2"
# Media ranges for version 1, most specific first.
_PLAIN: Final = (JSON, _ORDERS_V1, "application/*", "*/*")

# Longer values of Accept are parsed but not cached.
_LONGEST_KEPT: Final = 1_000
_QUOTES: Final = '"'
_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?", re.ASCII)


class BodyTooLarge(exceptions.APIException):
    status_code = 413


class ContentEncodingNotSupported(exceptions.UnsupportedMediaType):
    """Refused for a compressed body; RFC 9110, 15.5.16 asks to name accepted encodings."""

    headers: ClassVar[Mapping[str, str]] = {"Accept-Encoding": "identity"}


class JsonBody(parsers.BaseParser):
    """The parser of `request.data`; views with a wire model use `Wire.of(request)`."""

    media_type = JSON

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return strict_json.loads(stream.read())


class JsonAnswer(renderers.BaseRenderer):
    """Render a dict or wire model as JSON; bytes are JSON already, None is no body."""

    media_type = JSON
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        if isinstance(data, BaseModel):
            data = data.model_dump(by_alias=True)
        return strict_json.dumps(data)


class OrdersV2Answer(JsonAnswer):
    media_type = ORDERS_V2


V1: Final = JsonAnswer()
V2: Final = OrdersV2Answer()


class ByAccept(BaseContentNegotiation):
    """Required by DRF but unused, because `ApiViewSet` negotiates itself."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


def _qualities(accept: str) -> dict[str, float]:
    """Return media range → quality, without malformed ranges and parameters."""
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        parts = [media]
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                quality = float(value) if _QUALITY.fullmatch(value) else 0.0
            elif name != "charset":
                parts.append(f"{name}={value.strip(_QUOTES)}")
        qualities[";".join(parts)] = quality
    return qualities


def negotiate(accept: str) -> bool:
    """Return whether Accept asks for version 2 of the orders, which it must name.

    Raise NotAcceptable when it names a version that is not there, and nothing that is. Whatever
    else it says, version 1 is the answer: RFC 9110, section 12.5.1, lets a server disregard Accept.
    """
    return _negotiate(accept) if len(accept) <= _LONGEST_KEPT else _negotiate.__wrapped__(accept)


@lru_cache(maxsize=512)
def _negotiate(accept: str) -> bool:
    qualities = _qualities(accept)
    plain = next((qualities[media] for media in _PLAIN if media in qualities), 0.0)
    second = qualities.get(ORDERS_V2, 0.0)
    if not plain and not second and any(map(_is_unknown_version, qualities.items())):
        raise exceptions.NotAcceptable
    return second > 0 and second >= plain


def _is_unknown_version(wanted: tuple[str, float]) -> bool:
    media, quality = wanted
    return quality > 0 and media.startswith(f"{_ORDERS};version=") and media != _ORDERS_V1


@lru_cache(maxsize=128)
def _is_json(content_type: str) -> bool:
    media, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    return media == JSON and all(
        parameter in ("", "charset=utf-8", 'charset="utf-8"')
        for parameter in parameters
        if not parameter or parameter.startswith("charset")
    )


def check_body_headers(meta: Mapping[str, str]) -> None:
    """Refuse a body that is not plain JSON of allowed size.

    It has a length, also if it was sent in chunks: the web server (`serving`) has read it.
    """
    length = meta.get("CONTENT_LENGTH") or ""
    check_content_encoding(meta)
    if length and not length.isdecimal():
        raise exceptions.ParseError
    if not length or int(length) == 0:
        return
    if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge
    if not _is_json(meta.get("CONTENT_TYPE", "")):
        raise exceptions.UnsupportedMediaType("")


def check_content_encoding(meta: Mapping[str, str]) -> None:
    """Refuse a compressed body, which could be far larger than it looks."""
    if meta.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise ContentEncodingNotSupported("")
