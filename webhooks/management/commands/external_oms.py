"""The command `manage.py external_oms`: health and inspection of external OMS."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from django.core.management.base import CommandError

from configuration.services import tenants
from ordermgmt.management.base import Action, ActionCommand
from webhooks import services

TENANT: Final = ("--tenant", {"required": True, "metavar": "SLUG", "help": "whose external OMS"})


class Command(ActionCommand):
    help = "Show how external OMS are doing, and try one: what it answers, and what of it is wrong."
    examples = [
        "manage.py external_oms list",
        "manage.py external_oms check --tenant acme --email ada@example.com",
        "manage.py external_oms check --tenant acme --order GD000001234 --json",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action("list", "Every external OMS that was asked, and how it answered.", self.list)
        yield Action(
            "check",
            "Ask what we ask when orders are read, and say what of the answers is wrong. Exits "
            "with 1 if anything is.",
            self.inspect,
            TENANT,
            ("--order", {"default": "", "metavar": "ID", "help": "an order it has"}),
            ("--email", {"default": "", "help": "of a customer who has orders there"}),
            ("--token", {"default": "", "help": "instead, for tenants that use tokens"}),
        )

    def list(self, options: dict[str, Any]) -> None:
        states = services.oms_health.states()
        rows = [asdict(state) for state in states]
        table = [
            {
                "tenant": state.tenant,
                "state": state.state,
                "failures": state.failures,
                "last success": _moment(state.last_success_at),
                "last error": f"{_moment(state.last_error_at)} {state.last_error_text}",
            }
            for state in states
        ]
        self.show(rows, options=options, title="External OMS", table=table)

    def inspect(self, options: dict[str, Any]) -> None:
        names = {"consumer_email": options["email"], "consumer_token": options["token"]}
        consumer = {name: value for name, value in names.items() if value}
        if not options["order"] and not consumer:
            raise CommandError("Name an order it has (--order), or a customer (--email, --token).")
        if len(consumer) > 1:
            raise CommandError("A customer is asked for by --email or by --token, never by both.")
        findings = services.inspection.inspect(
            tenants.find(options["tenant"]), order_id=options["order"], consumer=consumer
        )
        wrong = sum(finding.verdict == "wrong" for finding in findings)
        rows = [asdict(finding) for finding in findings]
        table = [row | {"verdict": _COLORS[row["verdict"]]} for row in rows]
        self.show(rows, options=options, title="What was asked", table=table)
        if wrong:
            raise CommandError(f"{wrong} of these are wrong.")


def _moment(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else "never"


_COLORS: Final = {
    "right": "[green]right[/green]",
    "odd": "[yellow]odd[/yellow]",
    "wrong": "[bold red]wrong[/bold red]",
}
