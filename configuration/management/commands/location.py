"""The command `manage.py location`: locations that fulfill orders."""

from collections.abc import Iterable
from typing import Any

from configuration.models import Location, LocationType
from configuration.services import locations, tenants
from ordermgmt.management.base import Action, ActionCommand

TENANT = ("--tenant", {"required": True, "metavar": "SLUG", "help": "whose location it is"})


class Command(ActionCommand):
    help = "Make, change and list the places a tenant fulfills from."
    examples = [
        "manage.py location put DC1 --tenant acme --type dc --priority 10",
        "manage.py location put BERLIN --tenant acme --type store --countries DE AT",
        "manage.py location list --tenant acme --json",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "put",
            "Make the location of that code, or change it to be exactly so.",
            self.put,
            ("code", {"help": "what orders and the WMS call it"}),
            TENANT,
            ("--type", {"required": True, "help": " or ".join(LocationType.values)}),
            ("--name", {"default": "", "help": "what people call it (the code)"}),
            (
                "--countries",
                {"nargs": "*", "default": [], "help": "it serves only these (ISO 3166: DE AT)"},
            ),
            ("--priority", {"type": int, "default": 100, "help": "lower is asked first (100)"}),
            ("--inactive", {"action": "store_true", "help": "it gets no orders"}),
        )
        yield Action("list", "List a tenant's locations.", self.list, TENANT)

    def put(self, options: dict[str, Any]) -> None:
        location = locations.put(
            tenant=tenants.find(options["tenant"]),
            code=options["code"],
            type=options["type"],
            name=options["name"],
            country_codes=options["countries"],
            priority=options["priority"],
            is_active=not options["inactive"],
        )
        self.show(_facts(location), options=options, title="Put a location")

    def list(self, options: dict[str, Any]) -> None:
        tenant = tenants.find(options["tenant"])
        rows = Location.objects.filter(tenant=tenant).order_by("priority", "code")
        self.show([_facts(location) for location in rows], options=options, title="Locations")


def _facts(location: Location) -> dict[str, Any]:
    names = ("code", "name", "type", "country_codes", "priority", "is_active")
    return {name: getattr(location, name) for name in names}
