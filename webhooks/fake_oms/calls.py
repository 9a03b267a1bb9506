"""Call to the fake OMS, with its valid answer and methods to send others."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from webhooks.fake_oms import orders


@dataclass
class Call:
    """One request and its connection. `number` counts the calls in this mode from 1."""

    target: str
    headers: Mapping[str, str]
    line: asyncio.StreamWriter
    number: int
    api_key: str
    seconds: float
    query: dict[str, list[str]] = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.path, self.query = parts.path, parse_qs(parts.query)

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.line.write(piece)
            await self.line.drain()

    async def begin(self, status: int = 200, **headers: str | int) -> None:
        """Send the status line and headers, with a JSON content type unless they have another."""
        merged = {"content_type": "application/json", "connection": "close"} | headers
        lines = [f"{name.replace('_', '-').title()}: {value}" for name, value in merged.items()]
        await self.send(_head(status, *lines))

    async def reply(self, status: int, body: Any = None, **headers: str | int) -> None:
        """Send a complete answer. A body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.begin(status, content_length=len(content), **headers)
        await self.send(content)

    def sound(self) -> tuple[int, Any]:
        """Return status and body of the answer that the contract requires."""
        credentials = {self.headers.get("authorization"), self.headers.get("x-api-key")}
        if credentials.isdisjoint({f"Bearer {self.api_key}", self.api_key}):
            return 403, {"message": "The API key is missing or wrong."}
        *_, collection, last = ["", *self.path.split("/")]
        if collection == "orders" and last:
            order = orders.find(unquote(last))
            return (200, order) if order else (404, {"message": "There is no such order."})
        customers = self.query.get("consumer_email", []) + self.query.get("consumer_token", [])
        if last == "orders" and len(customers) == 1:
            return 200, {"orders": orders.history(customers[0])}
        if last == "orders":
            return 400, {"message": "Say consumer_email or consumer_token, and not both."}
        return 404, {"message": "There is nothing here but /orders and /orders/{id}."}


Behavior = Callable[[Call], Awaitable[None]]


def _head(status: int, *lines: str) -> bytes:
    phrase = HTTPStatus(status).phrase
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *lines, "", ""]).encode()
