"""A process of its own that asks a fake OMS in one mode after another, and tells what each cost.

`python -m tests.webhooks.growing HOST:PORT MODE …` prints JSON: by mode, bytes and open files.
"""

import http.client
import json
import os
import sys
from contextlib import closing
from pathlib import Path

from webhooks import egress

SELF = Path("/proc/self")


def memory(line: str) -> int:
    """Return memory of this process in bytes: VmRSS now, VmHWM the peak since `reset_peak`."""
    rows = dict(row.split(":", 1) for row in (SELF / "status").read_text().splitlines())
    return int(rows[line].split()[0]) * 1024


def reset_peak() -> None:
    (SELF / "clear_refs").write_text("5")


def become(host: str, mode: str) -> None:
    line = http.client.HTTPConnection(host, timeout=10)
    with closing(line):
        line.request("POST", f"/__mode/{mode}")
        assert line.getresponse().status == 200


def ask(host: str) -> str:
    url = f"http://{host}/orders/ADA-001"
    try:
        answer = egress.send("GET", url, headers={}, deadline=1, allows_http=True)
    except egress.EgressFailed as failed:
        return failed.code
    return str(answer.status)


def main(host: str, *modes: str) -> None:
    costs = {}
    ask(host)  # a first request, so that lazy imports are not measured
    for mode in modes:
        become(host, mode)
        files = len(os.listdir(SELF / "fd"))
        reset_peak()
        before = memory("VmRSS")
        outcome = ask(host)
        costs[mode] = {
            "outcome": outcome,
            "grown": memory("VmHWM") - before,
            "files": len(os.listdir(SELF / "fd")) - files,
        }
    print(json.dumps(costs))


if __name__ == "__main__":
    main(*sys.argv[1:])
