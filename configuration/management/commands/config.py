"""The command `manage.py config`: settings of tenants."""

from collections.abc import Iterable
from typing import Any

from configuration import keys, services
from configuration.models import Tenant
from configuration.registry import Key
from configuration.services import Stored, tenants
from configuration.services.settings import history, read_all, reset
from ordermgmt import strict_json
from ordermgmt.management.base import Action, ActionCommand, Refused
from ordermgmt.values.timestamps import timestamp

ACTOR = "cli:config"
TENANT = ("tenant", {"help": "the tenant's slug"})
KEY = ("key", {"help": f"one of: {', '.join(keys.KEYS)}"})


class Command(ActionCommand):
    help = "List, read and set what tenants may set. Secrets are masked."
    examples = [
        "manage.py config list                # every key of every tenant",
        "manage.py config list acme",
        "manage.py config get acme big_sales_order --json",
        *(
            f"manage.py config set acme {key.name} '{strict_json.dumps(key.example).decode()}'"
            for key in keys.KEYS.values()
        ),
        "manage.py config reset acme sales_order_generator_sequence",
        "manage.py config history acme on_hold_timer_duration",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "list",
            "Every key, of all tenants or of one.",
            self.list,
            ("tenant", {"nargs": "?", "help": "only this tenant's"}),
        )
        yield Action("get", "What one key is set to.", self.get, TENANT, KEY)
        yield Action(
            "set",
            "Set a key to a JSON value, checked as the API checks it.",
            self.set,
            TENANT,
            KEY,
            ("value", {"help": "JSON; of a secret, its mask keeps what is stored"}),
        )
        yield Action(
            "reset",
            "Undo what can be set once only; refused once the tenant has an order.",
            self.reset,
            TENANT,
            KEY,
        )
        yield Action("history", "Who changed a key, from what to what.", self.history, TENANT, KEY)

    def list(self, options: dict[str, Any]) -> None:
        slug = options["tenant"]
        chosen = [tenants.find(slug)] if slug else Tenant.objects.order_by("slug")
        rows = [
            _facts(tenant, keys.KEYS[name], stored)
            for tenant in chosen
            for name, stored in read_all(tenant).items()
        ]
        self.show(rows, options=options, title="Configuration", table=[_short(row) for row in rows])

    def get(self, options: dict[str, Any]) -> None:
        key, tenant = keys.find(options["key"]), tenants.find(options["tenant"])
        facts = _facts(tenant, key, services.read(tenant, key))
        self.show(facts, options=options, title=key.label.capitalize(), note=key.help)

    def set(self, options: dict[str, Any]) -> None:
        key, tenant = keys.find(options["key"]), tenants.find(options["tenant"])
        value = key.parse(_read(options["value"]))
        stored = services.write(tenant, key, value, actor=ACTOR, may_grow=True)
        self.show(_facts(tenant, key, stored), options=options, title="Set")

    def reset(self, options: dict[str, Any]) -> None:
        key, tenant = keys.find(options["key"]), tenants.find(options["tenant"])
        stored = reset(tenant, key, actor=ACTOR)
        self.show(_facts(tenant, key, stored), options=options, title="Reset")

    def history(self, options: dict[str, Any]) -> None:
        key, tenant = keys.find(options["key"]), tenants.find(options["tenant"])
        rows = [
            {
                "version": change.version,
                "at": timestamp(change.at),
                "author": change.author,
                "from": change.old_value,
                "to": change.new_value,
            }
            for change in history(tenant, key)
        ]
        self.show(rows, options=options, title=f"Changes of {key.name}")


def _read(text: str) -> Any:
    try:
        return strict_json.loads(text.encode("utf-8", "surrogateescape"))
    except strict_json.InvalidJson as refusal:  # cut off the prefix about a request body
        _, _, why = str(refusal).partition(": ")
        raise Refused(f"The value is not acceptable JSON: {why}") from None


def _facts(tenant: Tenant, key: Key[Any], stored: Stored[Any]) -> dict[str, Any]:
    at = stored.updated_at
    return {
        "tenant": tenant.slug,
        "key": key.name,
        "value": key.masked(stored.value),
        "version": stored.version,
        "updated_at": timestamp(at) if at else None,
        "updated_by": stored.updated_by or None,
    }


def _short(row: dict[str, Any]) -> dict[str, Any]:
    since = row["updated_at"][:10] if row["updated_at"] else "default"
    return {name: row[name] for name in ("tenant", "key", "value")} | {"since": since}
