"""The commands on the documentation's pages work as printed."""

import re
import subprocess

import pytest

from tests.e2e.stack import ROOT, Stack

BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A refusal ends the script, with its body on standard output.
STRICT = """set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
"""
SETTINGS = {
    "sales_order_generator_sequence": '{"prefix": "P", "size": 9}',
    "on_hold_timer_duration": "900",
    "big_sales_order": '{"soft_limit_for_big_orders": 200}',
}


@pytest.fixture
def blanks(stack: Stack) -> dict[str, str]:
    """Return the values a reader fills in: the URL, the tenant and the client's credentials."""
    stack.manage("tenant", "create", "pages")
    client = stack.manage_json("client", "create", "--tenant", "pages", "--name", "reader")
    for key, value in SETTINGS.items():
        stack.manage("config", "set", "pages", key, value)
    stack.manage("location", "put", "DC1", "--tenant", "pages", "--type", "dc")
    return {
        "URL=http://127.0.0.1:8000  TENANT=demo": f"URL={stack.url}  TENANT=pages",
        "ID=…  SECRET=…": f"ID={client['client_id']}  SECRET={client['client_secret']}",
    }


def test_the_integrators_page(stack: Stack, blanks: dict[str, str]) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "integrators.md").read_text())
    for blank, filled in blanks.items():
        assert blank in blocks[0]
        blocks[0] = blocks[0].replace(blank, filled)
    script = STRICT + "\n".join(blocks)
    assert "…" not in script

    done = subprocess.run(
        ["bash", "-x", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-1000:]
    for route in ("holds", "timeline", "notes", "cancel", "fulfillment", "prices"):
        assert f"/{route}" in done.stderr
