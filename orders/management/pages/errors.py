"""docs/generated/errors.md: the refusals of the domain and the general errors."""

import inspect
from collections.abc import Iterator
from typing import Final

from ordermgmt.errors import DomainError
from ordermgmt.http.problems import CODES, KINDS
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.management.pages.modules import APPS, imported

INTRODUCTION: Final = (
    "Every error response is `application/problem+json`, except the few that are documented to "
    "have no body. Branch on `error_code`, which never changes; `message` is for people. Each "
    "refusal is one of the classes below, declared next to the code that raises it.\n\n"
    "The OpenID routes have the error responses of RFC 6749: `error` and `error_description`, 401 "
    "for `invalid_client` and 400 for all others. On the command line a refusal is one line with "
    "its message, and exit status 1."
)
FLOOR: Final = "Errors of a request before any rule is checked, and errors of the server:"


def errors() -> str:
    refusals = [
        (status, code(refusal.code), _kind(refusal), _where(refusal), _text(refusal))
        for status, refusal in sorted(
            ((_status(refusal), refusal) for refusal in _refusals()),
            key=lambda pair: (pair[0], pair[1].code, _where(pair[1])),
        )
    ]
    floor = [(status, code(name), words) for status, (name, words) in CODES.items()]
    kinds = [(code(k.__name__), s.value, _text(k)) for k, s in KINDS.items()]
    return markdown.page(
        "Errors",
        INTRODUCTION,
        "## Kinds of refusal",
        markdown.table(["kind", "status", "meaning"], kinds),
        "## Refusals",
        markdown.table(["status", "error_code", "kind", "declared as", "what it says"], refusals),
        "## Without a refusal",
        FLOOR,
        markdown.table(["status", "error_code", "message"], floor),
    )


def _refusals() -> Iterator[type[DomainError]]:
    """Yield every refusal class of our apps, without the kinds themselves."""
    for _ in imported():
        pass
    pending = list(DomainError.__subclasses__())
    visited: set[type[DomainError]] = set()
    while pending:
        refusal = pending.pop()
        pending += refusal.__subclasses__()
        if refusal in visited or refusal in KINDS:
            continue
        visited.add(refusal)
        if refusal.__module__.partition(".")[0] in APPS:
            yield refusal


def _status(refusal: type[DomainError]) -> int:
    return next(KINDS[kind].value for kind in refusal.__mro__ if kind in KINDS)


def _kind(refusal: type[DomainError]) -> str:
    return code(next(kind.__name__ for kind in refusal.__mro__ if kind in KINDS))


def _where(refusal: type[DomainError]) -> str:
    return code(f"{refusal.__module__}.{refusal.__qualname__}")


def _text(refusal: type[DomainError]) -> str:
    """Return the first paragraph of the class's docstring."""
    return inspect.cleandoc(refusal.__doc__ or "").partition("\n\n")[0]
