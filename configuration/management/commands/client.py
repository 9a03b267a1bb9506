"""The command `manage.py client`: OAuth clients and their secrets."""

from collections.abc import Iterable
from typing import Any

from configuration.models import Client
from configuration.services import clients, tenants
from ordermgmt.http import scopes
from ordermgmt.management.base import Action, ActionCommand, Refused

TENANT = ("--tenant", {"required": True, "metavar": "SLUG", "help": "whose client it is"})
CLIENT_ID = ("client_id", {"help": "as `client list` shows it"})
ONCE = "The secret is shown this once. Keep it now, or rotate it later."


class Command(ActionCommand):
    help = "Make and list OAuth clients, and change their secrets."
    examples = [
        "manage.py client create --tenant acme --name web-shop",
        "manage.py client create --tenant acme --name reports --scopes 'orders:read' --json",
        "manage.py client list --tenant acme",
        "manage.py client rotate CLIENT_ID",
        "manage.py client revoke CLIENT_ID",
        "manage.py client off CLIENT_ID",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "create",
            "Make a client; without --scopes it may do everything but "
            f"{', '.join(sorted(scopes.ONLY_IF_NAMED))}.",
            self.create,
            TENANT,
            ("--name", {"required": True, "help": "what histories and timelines call it"}),
            ("--scopes", {"help": f"space separated, of: {' '.join(scopes.SCOPES)}"}),
        )
        yield Action(
            "list",
            "List the clients, of all tenants or of one.",
            self.list,
            ("--tenant", {"metavar": "SLUG", "help": "only this tenant's"}),
        )
        yield Action(
            "rotate",
            "Give a client another secret; the old one and its tokens die with it.",
            self.rotate,
            CLIENT_ID,
        )
        yield Action(
            "revoke",
            "Revoke every access and refresh token a client holds.",
            self.revoke,
            CLIENT_ID,
        )
        yield Action("off", "Switch a client off, and its tokens with it.", self.off, CLIENT_ID)
        yield Action("on", "Switch a client on again.", self.on, CLIENT_ID)

    def create(self, options: dict[str, Any]) -> None:
        tenant = tenants.find(options["tenant"])
        requested = None if options["scopes"] is None else scopes.parse(options["scopes"])
        if requested == []:
            raise Refused(
                "A client without scopes may do nothing: name some, or leave --scopes out."
            )
        result = clients.create(tenant=tenant, name=options["name"], scopes=requested)
        self.show(_with_secret(result), options=options, title="Made a client", note=ONCE)

    def list(self, options: dict[str, Any]) -> None:
        rows = Client.objects.select_related("tenant").order_by("tenant__slug", "name", "pk")
        if options["tenant"]:
            rows = rows.filter(tenant=tenants.find(options["tenant"]))
        self.show(
            [_facts(client) for client in rows],
            options=options,
            title="Clients",
            table=[_facts(client) | {"scopes": _count(client.scopes)} for client in rows],
            note="With --json: which scopes.",
        )

    def rotate(self, options: dict[str, Any]) -> None:
        result = clients.rotate(options["client_id"])
        self.show(_with_secret(result), options=options, title="Rotated a secret", note=ONCE)

    def revoke(self, options: dict[str, Any]) -> None:
        revoked = clients.revoke_tokens(options["client_id"])
        self.show({"revoked_tokens": revoked}, options=options, title="Revoked tokens")

    def off(self, options: dict[str, Any]) -> None:
        client = clients.switch(options["client_id"], is_active=False)
        self.show(_facts(client), options=options, title="Switched a client off")

    def on(self, options: dict[str, Any]) -> None:
        client = clients.switch(options["client_id"], is_active=True)
        self.show(_facts(client), options=options, title="Switched a client on")


def _facts(client: Client) -> dict[str, Any]:
    return {
        "tenant": client.tenant.slug,
        "name": client.name,
        "client_id": client.client_id,
        "is_active": client.is_active,
        "scopes": client.scopes,
    }


def _with_secret(client_with_secret: clients.WithSecret) -> dict[str, Any]:
    facts = _facts(client_with_secret.client)
    scopes = facts.pop("scopes")
    return {**facts, "client_secret": client_with_secret.secret, "scopes": scopes}


def _count(chosen: list[str]) -> str:
    return "all" if set(chosen) == set(scopes.SCOPES) else f"{len(chosen)} of {len(scopes.SCOPES)}"
