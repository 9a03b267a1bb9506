"""The effect of one tenant's slow external OMS on another tenant's order details.

`python -m bench.federation` is the readers of the slow tenant, all at once, in a process of their
own; `federation` starts them, and a fake OMS that takes 24 of its 25 seconds.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bench.judging import Result
    from bench.measuring import Measured
    from bench.stage import Stage

SLOW_TENANT: Final = "slow"
READERS: Final = 100
LATE: Final = 24  # seconds
TIMEOUT: Final = 25  # seconds; the most a tenant may configure
WORST: Final = 2.0  # times its quiet p99 that a detail of another tenant may take
AT_ONCE: Final = 1000.0  # milliseconds within which a read without a wait is refused


def federation(
    stage: "Stage", measure: Callable[[int], "Measured"], connections: "tuple[int, ...]"
) -> "Result":
    """Measure details of one tenant without and with the other's readers, in turn."""
    from bench.judging import Aim, Result, Row

    rows, aims = [], []
    with _fake_oms() as oms:
        token = _slow_tenant(stage, oms)
        for number in connections:
            if rows:
                time.sleep(LATE)  # until the OMS has answered all whose readers are gone
            quiet = measure(number)
            with _readers(stage, token) as reads:
                busy = measure(number)
            after = measure(number)
            rows += [
                Row("detail, quiet", quiet),
                Row(f"detail beside {READERS} slow readers", busy),
                Row("detail, quiet again", after),
            ]
            ratio = 2 * busy.p99 / (quiet.p99 + after.p99)
            text = f"p99 of a detail at most {WORST} × quiet, {number} connections"
            aims.append(Aim(text, ratio, ratio <= WORST))
            results, refused = Counter(reads["statuses"]), reads["refused_ms"]
            aims += [
                Aim("reads refused, all with 503", results["503"], {"503", "200"} >= set(results)),
                Aim("p99 until one is refused (ms)", refused, refused <= AT_ONCE),
                Aim("reads that waited for the OMS", reads["waiting"], reads["waiting"] > 0),
            ]
    return Result("federation", rows, aims)


@contextmanager
def _fake_oms() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "webhooks.fake_oms", "--json", "--mode", "slow"]
    with subprocess.Popen(
        [*command, "--seconds", str(LATE)], stdout=subprocess.PIPE, text=True
    ) as oms:
        assert oms.stdout
        try:
            yield json.loads(oms.stdout.readline())
        finally:
            oms.kill()


def _slow_tenant(stage: "Stage", oms: dict[str, str]) -> str:
    """A tenant whose orders are asked for there, and a token to read them; web may go there."""
    from django.conf import settings

    from bench.stage import serve_anew
    from configuration import keys, services
    from configuration.services import clients, tenants, tokens

    os.environ["EGRESS_ALLOWED_HOSTS"] = oms["allowed_host"]
    settings.EGRESS_ALLOWED_HOSTS = [oms["allowed_host"]]
    tenant = tenants.create(SLOW_TENANT, allows_http_webhooks=True)
    key = keys.EXTERNAL_ORDER_WEBHOOK
    webhook = {"url": oms["url"], "api_key": oms["api_key"], "timeout": TIMEOUT}
    services.write(tenant, key, key.parse(webhook), actor="command:bench")
    serve_anew(stage)
    credentials = clients.create(tenant=tenant, name="readers")
    return tokens.issue_token(credentials.client, scope="orders:read").access_token


@contextmanager
def _readers(stage: "Stage", token: str) -> Iterator[dict[str, Any]]:
    """Run all readers; yield a dict that has their results afterwards."""
    results: dict[str, Any] = {}
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bench.federation"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as readers:
        assert readers.stdin
        assert readers.stdout
        try:
            readers.stdin.write(json.dumps({"port": stage.port, "token": token}) + "\n")
            readers.stdin.flush()
            readers.stdout.readline()
            yield results
            readers.stdin.close()
            results |= json.loads(readers.stdout.readline())
        except BaseException:
            readers.kill()
            raise


async def _read(port: int, token: str, number: int, results: dict[str, Any]) -> None:
    """Ask for an order again and again, and come back when told to."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        f"GET /v0/orders/ADA-{number:03}?id_type=external HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    while True:
        started = results["waiting"][number] = loop.time()
        writer.write(request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        status = head.split(" ")[1]
        results["statuses"][status] += 1
        del results["waiting"][number]
        if status != "200":
            results["refused"].append(1000 * (loop.time() - started))
            await asyncio.sleep(float(headers.get("retry-after", 1)))


async def _read_all(port: int, token: str) -> dict[str, Any]:
    """What happened until standard input ended."""
    results: dict[str, Any] = {"statuses": Counter(), "refused": [], "waiting": {}}
    readers = [asyncio.create_task(_read(port, token, n, results)) for n in range(READERS)]
    await asyncio.sleep(1)
    print(json.dumps("reading"), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    long_ago = asyncio.get_running_loop().time() - 1
    waiting = sum(started < long_ago for started in results["waiting"].values())
    failed = [task.exception() for task in readers if task.done()]
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    if failed:
        raise RuntimeError(f"{len(failed)} readers ended: {failed[0]!r}")
    refused = sorted(results["refused"])
    return {
        "statuses": results["statuses"],
        "refused_ms": refused[int(0.99 * len(refused))] if refused else 0.0,
        "waiting": waiting,
    }


if __name__ == "__main__":
    arguments = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(_read_all(arguments["port"], arguments["token"]))), flush=True)
