"""Fake OMS as a process that counts its calls."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ordermgmt.launcher.processes import die_with_parent

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Oms:
    """A running fake OMS. `EGRESS_ALLOWED_HOSTS` must contain `allowed_host` to reach it."""

    process: subprocess.Popen[str]
    url: str
    api_key: str
    mode: str
    allowed_host: str
    authority: str
    tenant: str
    config: str

    def asked(self) -> list[str]:
        """Return the targets of all calls so far, in order."""
        return self._control("calls")["targets"]

    def connections(self) -> int:
        return self._control("calls")["connections"]

    def become(self, mode: str) -> None:
        """Change the mode, at the same address."""
        self._control(f"mode/{mode}", method="POST")

    def _control(self, path: str, method: str = "GET") -> dict[str, Any]:
        status, body = self.ask(f"/__{path}", method=method)
        assert status == 200, body
        return body

    def ask(
        self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request without the product code, and return status and JSON."""
        line = http.client.HTTPConnection(self.allowed_host, timeout=10)
        with closing(line):
            line.request(method, target, headers=headers or {"X-Api-Key": self.api_key})
            response = line.getresponse()
            return response.status, json.loads(response.read())


@contextmanager
def running(mode: str = "good", *options: str) -> Iterator[Oms]:
    """Start a fake OMS of that mode; `manage.py fake_oms --help` lists the `options`."""
    parent = os.getpid()
    process = subprocess.Popen(
        [sys.executable, "-m", "webhooks.fake_oms", "--json", "--mode", mode, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: die_with_parent(parent),
    )
    with process:
        try:
            assert process.stdout is not None
            yield Oms(process, **json.loads(process.stdout.readline()))
        finally:
            process.kill()
