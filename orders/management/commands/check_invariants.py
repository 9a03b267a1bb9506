"""`manage.py check_invariants`: checks of the rules that all orders must satisfy."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import track

from ordermgmt.management.base import OneLineCommand
from orders.services import invariants
from orders.services.invariants import Finding


class Command(OneLineCommand):
    help = "Check the invariants of all orders and list violations. Changes nothing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise `CommandError`, which exits with 1, if an invariant is broken."""
        findings = list(
            track(
                invariants.check(),
                total=len(invariants.INVARIANTS),
                description="checking",
                console=Console(stderr=True),
                transient=True,
            )
        )
        if options["json"]:
            self.stdout.write(json.dumps([_facts(finding) for finding in findings], indent=2))
        else:
            for finding in findings:
                self._show(finding)
        if broken := [finding.invariant.name for finding in findings if finding.number]:
            raise CommandError(f"{len(broken)} of {len(findings)} broken: {', '.join(broken)}.")

    def _show(self, finding: Finding) -> None:
        result = f"{finding.number} broken" if finding.number else "ok"
        self.stdout.write(f"{result:>12}  {finding.invariant.promise}")
        for example in finding.examples:
            self.stdout.write(f"{'':14}{example}")


def _facts(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.invariant.name,
        "promise": finding.invariant.promise,
        "broken": finding.number,
        "examples": list(finding.examples),
    }
