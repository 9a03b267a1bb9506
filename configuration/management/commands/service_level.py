"""The command `manage.py service_level`: shipping methods of a tenant."""

from collections.abc import Iterable
from typing import Any

from configuration.models import ServiceLevel, ShippingType
from configuration.services import service_levels, tenants
from ordermgmt.management.base import Action, ActionCommand

TENANT = ("--tenant", {"required": True, "metavar": "SLUG", "help": "whose service level it is"})


class Command(ActionCommand):
    help = "Make, change and list the ways of shipping a tenant offers."
    examples = [
        "manage.py service_level put EXPRESS --tenant acme --remorse-period 60",
        "manage.py service_level put PICKUP --tenant acme --shipping-type in_store_pick_up",
        "manage.py service_level list --tenant acme --json",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "put",
            "Make the service level of that identifier, or change it to be exactly so.",
            self.put,
            ("identifier", {"help": "what shipments say"}),
            TENANT,
            ("--name", {"default": "", "help": "what people call it (the identifier)"}),
            (
                "--remorse-period",
                {"type": int, "help": "grace period in seconds (the tenant's own)"},
            ),
            (
                "--shipping-type",
                {
                    "default": ShippingType.TRADITIONAL_CARRIER.value,
                    "help": " or ".join(ShippingType.values),
                },
            ),
        )
        yield Action("list", "List a tenant's service levels.", self.list, TENANT)

    def put(self, options: dict[str, Any]) -> None:
        level = service_levels.put(
            tenant=tenants.find(options["tenant"]),
            identifier=options["identifier"],
            name=options["name"],
            remorse_period=options["remorse_period"],
            shipping_type=options["shipping_type"],
        )
        self.show(_facts(level), options=options, title="Put a service level")

    def list(self, options: dict[str, Any]) -> None:
        tenant = tenants.find(options["tenant"])
        rows = ServiceLevel.objects.filter(tenant=tenant).order_by("identifier")
        self.show([_facts(level) for level in rows], options=options, title="Service levels")


def _facts(level: ServiceLevel) -> dict[str, Any]:
    names = ("identifier", "name", "remorse_period", "shipping_type")
    return {name: getattr(level, name) for name in names}
