"""The command `manage.py tenant`: creation, list and changes of tenants."""

from collections.abc import Iterable, Mapping
from typing import Any

from configuration.models import Tenant
from configuration.services import tenants
from ordermgmt.management.base import Action, ActionCommand, Refused
from ordermgmt.values.timestamps import timestamp

SLUG = ("slug", {"help": "what the tenant headers say: a-z, 0-9 and hyphens"})
NAME: tuple[str, Mapping[str, Any]] = ("--name", {"help": "what people call it (the slug)"})
SWITCHES = {
    "is_active": "suspend with 'no': its tokens are refused within a second",
    "uses_pii_tokens": "personal data leaves the order APIs as tokens",
    "checks_payment_totals": "payments of an order must add up to its total",
    "lenient_price_details": "tax lines and discounts that contradict amounts are stored, "
    "and marked in the console",
    "allows_http_webhooks": "webhook URLs may be plain http",
}
DEFAULTS = {
    "shop": "the catalog of an order that names none",
    "shop_locale": "the locale of an order that names none",
}


def _yes(word: str) -> bool:
    if word not in ("yes", "no"):
        raise ValueError
    return word == "yes"


_yes.__name__ = "yes or no"  # argparse shows this name in its error message

CHOICES: list[tuple[str, Mapping[str, Any]]] = [
    NAME,
    *((f"--{name.replace('_', '-')}", {"help": help}) for name, help in DEFAULTS.items()),
    *(
        (f"--{name.replace('_', '-')}", {"help": help, "type": _yes, "metavar": "yes|no"})
        for name, help in SWITCHES.items()
    ),
]


class Command(ActionCommand):
    help = "Make, list and change tenants: each is one retailer, and nothing crosses."
    examples = [
        "manage.py tenant create acme --name 'Acme Outdoor'",
        "manage.py tenant create acme --json",
        "manage.py tenant update acme --uses-pii-tokens yes",
        "manage.py tenant update acme --is-active no",
        "manage.py tenant list",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action("create", "Make a tenant.", self.create, SLUG, *CHOICES)
        yield Action(
            "update", "Change a tenant; what is not named stays.", self.update, SLUG, *CHOICES
        )
        yield Action("list", "List the tenants.", self.list)

    def create(self, options: dict[str, Any]) -> None:
        tenant = tenants.create(options["slug"], **_chosen(options))
        note = f"Next: ./run manage client create --tenant {tenant.slug} --name web-shop"
        self.show(_facts(tenant), options=options, title="Made a tenant", note=note)

    def update(self, options: dict[str, Any]) -> None:
        chosen = _chosen(options)
        if not chosen:
            names = ", ".join(name for name, _ in CHOICES)
            raise Refused(f"Nothing was changed: say what to change, by one or more of {names}.")
        tenant = tenants.update(options["slug"], **chosen)
        self.show(_facts(tenant), options=options, title="Changed a tenant")

    def list(self, options: dict[str, Any]) -> None:
        rows = list(Tenant.objects.order_by("slug"))
        self.show(
            [_facts(tenant) for tenant in rows],
            options=options,
            title="Tenants",
            table=[_short(tenant) for tenant in rows],
        )


def _chosen(options: dict[str, Any]) -> Any:
    names = ["name", *DEFAULTS, *SWITCHES]
    return {name: options[name] for name in names if options[name] is not None}


def _facts(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "uuid": str(tenant.uuid),
        **{name: getattr(tenant, name) for name in (*SWITCHES, *DEFAULTS)},
        "created_at": timestamp(tenant.created_at),
    }


def _short(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "switched on": [name for name in SWITCHES if getattr(tenant, name)],
        "since": tenant.created_at.date().isoformat(),
    }
