"""docs/generated/scopes.md: the scopes of tokens and the operations that need them."""

from typing import Final

from ordermgmt.http.scopes import ONLY_IF_NAMED, SCOPES
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.management.pages.routes import operations

INTRODUCTION: Final = (
    "From `ordermgmt/http/scopes.py`. A client created without `--scopes` has all scopes except "
    f"{', '.join(map(code, sorted(ONLY_IF_NAMED)))}. A token has the scopes that its request "
    "names, or all scopes of its client. A scope that no operation needs is reserved."
)


def scopes() -> str:
    all_operations = operations()
    rows = [
        (code(name), help, ", ".join(code(o) for o in all_operations if name in o.scopes))
        for name, help in SCOPES.items()
    ]
    free = [f"- {code(o)}" for o in all_operations if not o.scopes]
    return markdown.page(
        "Scopes",
        INTRODUCTION,
        markdown.table(["scope", "what it allows", "needed by"], rows),
        "## Without a token",
        "\n".join(free),
    )
