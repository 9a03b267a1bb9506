"""Answers of the fake OMS that break the rules of HTTP, do not end or are too large."""

import asyncio
import json
import os
import socket
import struct
import zlib
from functools import cache

from webhooks.fake_oms.calls import Behavior, Call

FOR_EVER = 3600  # seconds, longer than any timeout
MEGABYTE = 1_000_000


async def hang(call: Call) -> None:
    await asyncio.sleep(FOR_EVER)


async def headers_then_hang(call: Call) -> None:
    await call.begin(content_length=500)
    await hang(call)


def _text(call: Call) -> bytes:
    return json.dumps(call.sound()[1]).encode()


async def _drip(call: Call, text: bytes) -> None:
    for byte in text:
        await call.send(bytes([byte]))
        await asyncio.sleep(min(1, call.seconds))


async def drip_status(call: Call) -> None:
    await _drip(call, b"HTTP/1.1 200 OK\r\n")


async def drip_headers(call: Call) -> None:
    await call.send(b"HTTP/1.1 200 OK\r\n")
    await _drip(call, b"X-Slow: yes\r\n" * 1000)


async def drip_body(call: Call) -> None:
    text = _text(call)
    await call.begin(content_length=len(text))
    await _drip(call, text)


async def drip_chunks(call: Call) -> None:
    await call.begin(transfer_encoding="chunked")
    for byte in _text(call):
        await call.send(b"1\r\n%c\r\n" % byte)
        await asyncio.sleep(min(1, call.seconds))


async def hang_up(call: Call) -> None:
    """Send nothing; the server closes the connection afterwards."""


async def reset(call: Call) -> None:
    line: socket.socket = call.line.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.line.transport.abort()


async def reset_in_body(call: Call) -> None:
    await call.begin(content_length=5000)
    await call.send(b'{"orders": [')
    await asyncio.sleep(0.1)  # the reset would overtake the data otherwise
    await reset(call)


async def close_in_body(call: Call) -> None:
    text = _text(call)
    await call.begin(content_length=len(text))
    await call.send(text[: len(text) // 2])


def claiming(length: str) -> Behavior:
    """Return a behavior that announces a wrong length of the body."""

    async def behavior(call: Call) -> None:
        text = _text(call)
        await call.begin(content_length=length.format(half=len(text) // 2, more=len(text) + 100))
        await call.send(text)

    return behavior


def raw(*pieces: bytes) -> Behavior:
    """Return a behavior that sends these bytes and closes."""

    async def behavior(call: Call) -> None:
        await call.send(*pieces)

    return behavior


def endless(first: bytes, again: bytes) -> Behavior:
    """Return a behavior that sends `first` once, then `again` until the client hangs up."""

    async def behavior(call: Call) -> None:
        await call.send(first)
        while True:
            await call.send(again)

    return behavior


async def junk(call: Call) -> None:
    await call.send(os.urandom(2000))


async def huge(call: Call) -> None:
    """Send 100 MB with a correct length."""
    await call.begin(content_length=100 * MEGABYTE)
    for _ in range(100):
        await call.send(b" " * MEGABYTE)


async def huge_without_length(call: Call) -> None:
    await call.begin()
    for _ in range(100):
        await call.send(b" " * MEGABYTE)


async def bomb(call: Call) -> None:
    """Send 100 kB of gzip that expand to 100 MB."""
    await call.reply(200, _packed(), content_encoding="gzip")


@cache
def _packed() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(100)) + packer.flush()
