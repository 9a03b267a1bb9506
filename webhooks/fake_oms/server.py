"""Server of the fake OMS, which counts its calls and answers them by its mode.

`GET /__calls` returns the calls so far, and `POST /__mode/NAME` changes the mode. Neither counts.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from webhooks.fake_oms.calls import Call
from webhooks.fake_oms.modes import MODES, Mode

LONGEST_HEAD: Final = 64 * 1024
CONTROL: Final = "/__"
_CLOSED: Final = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass
class FakeOms:
    """The state of the server: its mode and the calls so far."""

    mode: str
    port: int
    api_key: str
    seconds: float
    log: Callable[[str], None]
    connections: int = 0
    targets: list[str] = field(default_factory=list)
    before: int = 0  # calls in earlier modes

    @property
    def behaves(self) -> Mode:
        return MODES[self.mode]

    @property
    def url(self) -> str:
        return f"{'https' if self.behaves.certificate else 'http'}://127.0.0.1:{self.port}"

    async def serve(self, ready: Callable[[Path], None]) -> None:
        """Listen on this machine only, forever; call `ready` with the folder of certificates."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        with TemporaryDirectory(prefix="fake-oms-") as name:
            folder = Path(name)
            if self.behaves.listens:
                context = self._context(folder)
                await asyncio.start_server(
                    self._answer, sock=listener, ssl=context, limit=LONGEST_HEAD, backlog=512
                )
            ready(folder)
            await asyncio.Event().wait()

    def _context(self, folder: Path) -> ssl.SSLContext | None:
        if self.behaves.certificate is None:
            return None
        from webhooks.fake_oms import certificates  # slow to import, and few modes need it

        return certificates.context(self.behaves.certificate, folder)

    async def _answer(self, reader: asyncio.StreamReader, line: asyncio.StreamWriter) -> None:
        mode = self.behaves
        self.connections += 1
        with suppress(*_CLOSED):
            if not mode.reads:
                await asyncio.Event().wait()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *rows = head.split("\r\n")
            target = request.split(" ")[1]
            headers = {
                name.lower(): value.strip()
                for name, _, value in (row.partition(":") for row in rows)
            }
            number = len(self.targets) - self.before + 1
            call = Call(target, headers, line, number, self.api_key, self.seconds)
            if target.startswith(CONTROL):
                self.connections -= 1
                await call.reply(*self._control(target))
            else:
                self.targets.append(target)
                self.log(request.removesuffix(" HTTP/1.1"))
                await mode.behavior(call)
        with suppress(*_CLOSED):
            line.close()
            await line.wait_closed()

    def _control(self, target: str) -> tuple[int, Any]:
        word, _, name = target.removeprefix(CONTROL).partition("/")
        if word == "mode" and name in MODES:
            self.mode, self.before = name, len(self.targets)
        elif word != "calls":
            return 404, {"message": "There are /__calls and /__mode/NAME."}
        return 200, {
            "mode": self.mode,
            "connections": self.connections,
            "calls": len(self.targets),
            "targets": self.targets,
        }
