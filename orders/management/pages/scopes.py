"""docs/generated/scopes.md: what a token may be allowed to do, and where it is asked for."""

from typing import Final

from ordermgmt.http.scopes import ONLY_IF_NAMED, SCOPES
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.management.pages.routes import operations

INTRODUCTION: Final = (
    "From `ordermgmt/http/scopes.py`. A client made without `--scopes` may have all but "
    f"{', '.join(map(code, sorted(ONLY_IF_NAMED)))}; a token has those it asked for, or all its "
    "client may have. A scope no operation needs yet is reserved."
)


def scopes() -> str:
    found = operations()
    rows = [
        (code(name), help, ", ".join(code(o) for o in found if name in o.scopes))
        for name, help in SCOPES.items()
    ]
    free = [f"- {code(o)}" for o in found if not o.scopes]
    return markdown.page(
        "Scopes",
        INTRODUCTION,
        markdown.table(["scope", "what it allows", "needed by"], rows),
        "## Without a token",
        "\n".join(free),
    )
