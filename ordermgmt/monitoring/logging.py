"""JSON logging: one line per event, with the request's id and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

import orjson
import structlog

# Request ids of callers: any visible ASCII, as tracing systems generate them.
REQUEST_ID: Final = r"[!-~]{1,1024}"
# The log keeps both ends of a longer id, so that it can be searched by either.
_LONGEST_LOGGED: Final = 128
_CUT: Final = "..."

# Set by the middleware for the length of a request; empty outside one.
request_id: Final[ContextVar[str]] = ContextVar("request_id", default="")

_SECRET_KEYS: Final = re.compile(r"(?i)secret|password|token|api_?key|authorization|cookie")
_SECRET_TEXT: Final = re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{6,}")


# Values of rows and statements that PostgreSQL adds to an error, as text and in a repr.
_ROW: Final = re.compile(
    r"\n(?:DETAIL|CONTEXT|LINE \d+):.*?(?=\nTraceback |\n\n(?:The above|During handling)|\Z)"
    r"|\\n(?:DETAIL|CONTEXT|LINE \d+):.*?(?=['\"]\)|\n|\Z)",
    re.DOTALL,
)


def add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if current := request_id.get():
        event.setdefault("request_id", shortened(current))
    return event


def shortened(current: str) -> str:
    """Return a request's id as it is logged: at most 128 characters, without its middle."""
    if len(current) <= _LONGEST_LOGGED:
        return current
    end = (_LONGEST_LOGGED - len(_CUT)) // 2
    return current[: _LONGEST_LOGGED - len(_CUT) - end] + _CUT + current[-end:]


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values that look like credentials, and remove rows that the database quotes."""
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _ROW.sub("", _SECRET_TEXT.sub(r"\1 ***", value))
    return event


def _render(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=repr)


def _render_text(event: Any, **_: Any) -> str:
    return _render(event).decode()


_SHARED: Final[list[Any]] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_request_id,
]


def has_traceback(record: logging.LogRecord) -> bool:
    """Return whether Django's line about a 5xx has a traceback; our own line has the rest."""
    return bool(record.exc_info)


def json_formatter() -> logging.Formatter:
    """Return the formatter of `LOGGING`, which gives lines of libraries the same form."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            *_SHARED,
            structlog.stdlib.add_logger_name,
            structlog.processors.format_exc_info,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.processors.JSONRenderer(_render_text),
        ],
    )


def configure(level: str) -> None:
    """Set up structlog for this process; called once by the app's `ready`.

    Our own lines name each fact they hold, so they need no redaction; libraries' lines get it.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer(_render)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
