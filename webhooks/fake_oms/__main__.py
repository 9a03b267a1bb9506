"""Command line of the fake OMS: `python -m webhooks.fake_oms` and `manage.py fake_oms`."""

import argparse
import asyncio
import json
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from webhooks.fake_oms.modes import BROKEN, MODES, ON_TIME, REFUSING, SPOILED
from webhooks.fake_oms.server import FakeOms

HELP: Final = """\
Be a retailer's order system on this machine, to try the federation on: sound, or bad in one way
of many. It prints what to paste, then each call it gets. Ctrl-C ends it."""
_GROUPS: Final = {
    "sound": ON_TIME,
    "refusing (whatever is asked)": REFUSING,
    "answers that break the contract": SPOILED,
    "answers that break HTTP, do not end, or are too large": BROKEN,
}
EPILOG: Final = "\n\n".join(
    [
        "examples:\n"
        "  manage.py fake_oms --port 9000\n"
        "  manage.py fake_oms --mode slow --seconds 3\n"
        "  curl -X POST http://127.0.0.1:9000/__mode/503    # change the mode while it runs\n"
        "  curl http://127.0.0.1:9000/__calls               # the calls so far",
        *(
            f"modes, {title}:\n"
            + "\n".join(f"  {name:<20} {mode.help}" for name, mode in group.items())
            for title, group in _GROUPS.items()
        ),
    ]
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG.replace("%", "%%")
    parser.add_argument("--mode", choices=MODES, metavar="MODE", default="good", help="see below")
    parser.add_argument("--port", type=int, default=0, help="of this machine (any that is free)")
    parser.add_argument("--tenant", default="demo", help="whose configuration to print (demo)")
    parser.add_argument("--api-key", default="fake-oms-key", help="the key callers must send")
    parser.add_argument(
        "--seconds", type=float, default=30, help="how late `slow` is; at most 1 between drips (30)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON, and no calls; for scripts"
    )


def run(options: dict[str, Any]) -> None:
    """Serve until interrupted."""

    def log_line(line: str) -> None:
        if not options["json"]:
            print(line, flush=True)

    oms = FakeOms(
        mode=options["mode"],
        port=options["port"],
        api_key=options["api_key"],
        seconds=options["seconds"],
        log=log_line,
    )

    def ready(folder: Path) -> None:
        facts = _facts(oms, options["tenant"], folder)
        print(json.dumps(facts) if options["json"] else _panel(oms, facts), flush=True)

    with suppress(KeyboardInterrupt):
        asyncio.run(oms.serve(ready))


def _facts(oms: FakeOms, tenant: str, folder: Path) -> dict[str, str]:
    webhook = {"url": oms.url, "api_key": oms.api_key, "timeout": 5}
    value = shlex.quote(json.dumps(webhook))
    return {
        "url": oms.url,
        "api_key": oms.api_key,
        "mode": oms.mode,
        "allowed_host": f"127.0.0.1:{oms.port}",
        "authority": str(folder / "authority.pem") if oms.behaves.certificate else "",
        "tenant": f"./run manage tenant update {tenant} --allows-http-webhooks yes",
        "config": f"./run manage config set {tenant} external_order_webhook {value}",
    }


def _panel(oms: FakeOms, facts: dict[str, str]) -> str:
    lines = [
        f"The fake OMS is at {oms.url}, in mode {oms.mode}: {oms.behaves.help}",
        "",
        "It is no public address: have this in .env, or in the environment of all that follows:",
        f"  EGRESS_ALLOWED_HOSTS={facts['allowed_host']}",
    ]
    if facts["authority"]:
        lines.append(f"  SSL_CERT_FILE={facts['authority']}")
    lines += ["", "Then have the tenant ask it:"]
    if not facts["authority"]:
        lines.append(f"  {facts['tenant']}")
    lines += [f"  {facts['config']}", "", "Try the orders ADA-001, ADA-002 …; its calls:"]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m webhooks.fake_oms", description=HELP)
    add_arguments(parser)
    run(vars(parser.parse_args()))
