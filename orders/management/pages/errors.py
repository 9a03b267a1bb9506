"""docs/generated/errors.md: every refusal of the domain, and the errors of the floor."""

import inspect
from collections.abc import Iterator
from typing import Final

from ordermgmt.errors import DomainError
from ordermgmt.http.problems import CODES, KINDS
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.management.pages.modules import APPS, imported

INTRODUCTION: Final = (
    "Every error answer is `application/problem+json`, but for the few that are documented to have "
    "no body. Branch on `error_code`, which never changes; `message` is for people. What is "
    "refused says so with one of the classes below, declared beside the code that raises it.\n\n"
    "The OpenID routes alone word their refusals as RFC 6749 does: `error` and "
    "`error_description`, 401 for `invalid_client` and 400 for all others. On the command line a "
    "refusal is its message in one line, and exit status 1."
)
FLOOR: Final = "What is wrong with a request before any rule is asked, or with us:"


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
    """Every subclass in our apps, but the kinds themselves."""
    for _ in imported():
        pass
    waiting = list(DomainError.__subclasses__())
    seen: set[type[DomainError]] = set()
    while waiting:
        refusal = waiting.pop()
        waiting += refusal.__subclasses__()
        if refusal in seen or refusal in KINDS:
            continue
        seen.add(refusal)
        if refusal.__module__.partition(".")[0] in APPS:
            yield refusal


def _status(refusal: type[DomainError]) -> int:
    return next(KINDS[kind].value for kind in refusal.__mro__ if kind in KINDS)


def _kind(refusal: type[DomainError]) -> str:
    return code(next(kind.__name__ for kind in refusal.__mro__ if kind in KINDS))


def _where(refusal: type[DomainError]) -> str:
    return code(f"{refusal.__module__}.{refusal.__qualname__}")


def _text(refusal: type[DomainError]) -> str:
    """The first paragraph of its own docstring, where it says more than its kind does."""
    return inspect.cleandoc(refusal.__doc__ or "").partition("\n\n")[0]
