"""The welcome text of `up`: addresses, and two lines to paste."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

PICK_TOKEN = """python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'"""  # noqa: S105
FIRST_ORDER = {
    "external_id": "hello-1",
    "currency": "USD",
    "items": [
        {
            "id": "8273700b-4cbc-4074-91ea-9ce2caa7ab7d",
            "product_id": "1000012",
            "price": {"base": 80, "discount": 8, "net": 72, "tax": 7.2, "gross": 79.2},
        }
    ],
}


def welcome(console: Console, *, url: str, data_dir: Path, demo: Mapping[str, Any]) -> None:
    """Print the panel, and below it, unbroken, the lines to paste.

    `demo` is what `manage.py demo --json` says: at least tenant, client_id and client_secret;
    empty when there is no demo tenant.
    """
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(url, data_dir, demo).items():
        table.add_row(f"[dim]{name}[/dim]", value)
    console.print(Panel(table, title="ordermgmt is up", subtitle="Ctrl-C stops it", expand=False))
    if demo:
        console.print("Get a token; capture an order (again: the same order):\n", style="dim")
        for line in (token_line(url, demo), capture_line(url, demo)):
            console.print(line, soft_wrap=True, markup=False, highlight=False, end="\n\n")


def _facts(url: str, data_dir: Path, demo: Mapping[str, Any]) -> dict[str, str]:
    facts = {
        "API": url,
        "console": f"{url}/console/",
        "try it": f"{url}/docs/",
        "description": f"{url}/openapi.yaml",
        "health": f"{url}/healthz  {url}/readyz  {url}/metrics",
    }
    labels = {
        "tenant": "tenant",
        "client id": "client_id",
        "client secret": "client_secret",
        "sign in as": "people",
        "password": "password",
    }
    facts |= {label: str(demo[key]) for label, key in labels.items() if key in demo}
    return facts | {"data": str(data_dir), "logs": f"{data_dir / 'log'}/*.log"}


def token_line(url: str, demo: Mapping[str, Any]) -> str:
    """Return a shell line that requests a token."""
    return (
        f"curl -sS {url}/auth/realms/{demo['tenant']}/protocol/openid-connect/token"
        " -d grant_type=client_credentials"
        f" -d client_id={demo['client_id']} -d client_secret={demo['client_secret']}"
    )


def capture_line(url: str, demo: Mapping[str, Any]) -> str:
    """Return a shell line that requests a token and captures an order."""
    tenant = demo["tenant"]
    return (
        f"TOKEN=$({token_line(url, demo)} | {PICK_TOKEN}); "
        f'curl -sS {url}/order-management/orders -H "Authorization: Bearer $TOKEN"'
        f" -H 'Tenant: {tenant}' -H 'X-Newstore-Tenant: {tenant}' -H 'Request-Id: hello'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(FIRST_ORDER)}'"
    )
