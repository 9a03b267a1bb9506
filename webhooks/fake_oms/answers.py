"""Complete answers of the fake OMS that are late, refused, redirected or invalid."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from webhooks.fake_oms.calls import Behavior, Call

Edit = Callable[[dict[str, Any]], Any]


async def good(call: Call) -> None:
    await call.reply(*call.sound())


async def slow(call: Call) -> None:
    await asyncio.sleep(call.seconds)
    await good(call)


async def flapping(call: Call) -> None:
    await (call.reply(503) if call.number % 2 else good(call))


def refusing(status: int, **headers: str | int) -> Behavior:
    """Return a behavior that answers every call with that status."""

    async def behavior(call: Call) -> None:
        await call.reply(status, {"message": "Not today."}, **headers)

    return behavior


def redirecting(status: int, location: str) -> Behavior:
    """Return a behavior that redirects; `{itself}` in `location` is the requested address."""

    async def behavior(call: Call) -> None:
        itself = f"http://{call.headers.get('host', '')}{call.target}"
        await call.reply(status, b"", location=location.format(itself=itself))

    return behavior


async def no_content(call: Call) -> None:
    await call.begin(204)


def saying(body: Any, **headers: str | int) -> Behavior:
    """Return a behavior that answers every call with 200 and that body."""

    async def behavior(call: Call) -> None:
        await call.reply(200, body, **headers)

    return behavior


def spoiling(edit: Edit) -> Behavior:
    """Return a behavior that applies `edit` to each order of a valid answer."""

    async def behavior(call: Call) -> None:
        status, body = call.sound()
        for order in body.get("orders", [body]) if status == 200 else []:
            edit(order)
        await call.reply(status, body)

    return behavior


def rewriting(rewrite: Callable[[bytes], bytes], **headers: str | int) -> Behavior:
    """Return a behavior that applies `rewrite` to the text of a valid answer."""

    async def behavior(call: Call) -> None:
        status, body = call.sound()
        text = json.dumps(body, ensure_ascii=False).encode()
        await call.reply(status, rewrite(text), **headers)

    return behavior


def set_to(**members: Any) -> Edit:
    """Return an edit that sets members of an order."""
    return lambda order: order.update(members)


def without(*names: str) -> Edit:
    return lambda order: [order.pop(name, None) for name in names]


def in_items(edit: Edit) -> Edit:
    """Return an edit that applies another to each item of an order."""
    return lambda order: [edit(item) for item in order["items"]]


def in_prices(edit: Edit) -> Edit:
    return in_items(lambda item: edit(item["price"]))


async def many(call: Call) -> None:
    """Answer with 250 orders for every customer, and with valid details."""
    status, body = call.sound()
    if status == 200 and body.get("orders"):
        first, *_ = body["orders"]
        body["orders"] = [
            first | {"id": f"MANY-{n:03}", "origin_id": f"MANY-{n:03}"} for n in range(250)
        ]
    await call.reply(status, body)


async def oldest_first(call: Call) -> None:
    status, body = call.sound()
    if "orders" in body:
        body["orders"].reverse()
    await call.reply(status, body)
