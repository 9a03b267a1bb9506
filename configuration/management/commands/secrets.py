"""The command `manage.py secrets`: resealing of stored secrets with the newest key."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import track

from configuration.services import sealing
from ordermgmt.encryption import CannotOpen
from ordermgmt.management.base import Action, ActionCommand, Refused


class Command(ActionCommand):
    help = "Look after the secrets that are stored encrypted."
    examples = ["manage.py secrets reseal", "manage.py secrets reseal --json"]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "reseal",
            "Seal every stored secret under the first of ENCRYPTION_KEYS. Safe to repeat; when it "
            "succeeds on keys that all machines have, the others can be dropped.",
            self.reseal,
        )

    def reseal(self, options: dict[str, Any]) -> None:
        rows = sealing.stored()
        resealed, failed = 0, []
        for row in track(
            rows,
            description="Sealing anew",
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        ):
            try:
                resealed += row.reseal()
            except CannotOpen as reason:  # reseal the others all the same
                failed.append(f"{row.label}: {reason}")
        facts = {"secrets": len(rows), "resealed": resealed, "failed": failed}
        self.show(facts, options=options, title="Sealed anew")
        if failed:
            raise Refused(f"{len(failed)} could not be opened: keep, or bring back, their keys.")
