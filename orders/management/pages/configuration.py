"""docs/generated/configuration.md: the configuration keys of a tenant."""

from typing import Any

from configuration.keys import KEYS
from configuration.registry import Key
from orders.management.pages import markdown
from orders.management.pages.markdown import code, json_block, yes

INTRODUCTION = (
    "The configuration keys of a tenant. Read and write a key with `GET` and `POST` "
    '`/v0/config/sales_order/<key>`, body `{"value": …}`, or with '
    "`./run manage config set <tenant> <key> '<value>'`. A key that was never set returns its "
    "default."
)


def configuration() -> str:
    rows = [
        (f"[`{key.name}`](#{key.name})", key.help, yes(key.immutable), _names(key.secrets))
        for key in KEYS.values()
    ]
    overview = markdown.table(["key", "what it is", "set once", "secret"], rows)
    return markdown.page(
        "Configuration of a tenant", INTRODUCTION, overview, *map(_section, KEYS.values())
    )


def _section(key: Key[Any]) -> str:
    parts = [f"## {key.name}", key.help, f"Default: {_default(key)}"]
    if key.immutable:
        parts.append("Set once: the same value again is accepted, another is refused with 409.")
    if key.secrets:
        parts.append(
            f"Secret: {_names(key.secrets)}. Encrypted at rest, masked in histories, on the "
            "command line and for tokens that may not write configuration."
        )
    parts += ["Example:", json_block({"value": key.example})]
    parts += ["Schema of the value:", json_block(key.adapter.json_schema())]
    return "\n\n".join(parts)


def _default(key: Key[Any]) -> str:
    document = key.dump(key.default)
    return "not set" if document in (None, {}) else code(markdown.inline_json(document))


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(code(name) for name in names)
