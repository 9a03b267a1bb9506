"""The command `manage.py staff`: console accounts, their roles and second factors."""

from collections.abc import Iterable
from typing import Any

from configuration.models import Membership
from configuration.services import staff, tenants
from ordermgmt.console import second_factor
from ordermgmt.console.roles import ROLES
from ordermgmt.management.base import Action, ActionCommand

NAME = ("username", {"help": "as they sign in"})
ROLE = ("--role", {"required": True, "choices": list(ROLES), "help": "what they may do"})
ONCE = "The password is shown this once. They can change it in the console."


class Command(ActionCommand):
    help = "Make and list people of the console, and help those who cannot get in."
    examples = [
        "manage.py staff create ada@acme --tenant acme --role support",
        "manage.py staff list --tenant acme",
        "manage.py staff role ada@acme --role supervisor",
        "manage.py staff password ada@acme",
        "manage.py staff reset-second-factor ada@acme",
        "manage.py staff off ada@acme",
    ]

    def actions(self) -> Iterable[Action]:
        yield Action(
            "create",
            "Make a person of a tenant, with a new password. A phone is enrolled at first sign-in.",
            self.create,
            NAME,
            ("--tenant", {"required": True, "metavar": "SLUG", "help": "whom they work for"}),
            ROLE,
        )
        yield Action(
            "list",
            "List the people of all tenants or of one.",
            self.list,
            ("--tenant", {"metavar": "SLUG", "help": "only this tenant's"}),
        )
        yield Action("role", "Give somebody another role.", self.role, NAME, ROLE)
        yield Action(
            "password",
            "Give somebody a new password; wherever they are signed in, they no longer are.",
            self.password,
            NAME,
        )
        yield Action(
            "reset-second-factor",
            "Forget a lost phone and its recovery codes: the next sign-in enrolls another.",
            self.reset,
            NAME,
        )
        yield Action("off", "Keep somebody out, at once.", self.off, NAME)
        yield Action("on", "Let somebody in again.", self.on, NAME)

    def create(self, options: dict[str, Any]) -> None:
        result = staff.create(
            tenant=tenants.find(options["tenant"]),
            username=options["username"],
            role=options["role"],
        )
        facts = _facts(result.membership) | {"password": result.password}
        self.show(facts, options=options, title="Made a person", note=ONCE)

    def list(self, options: dict[str, Any]) -> None:
        tenant = tenants.find(options["tenant"]) if options["tenant"] else None
        rows = [_facts(membership) for membership in staff.of_tenant(tenant)]
        self.show(rows, options=options, title="People")

    def role(self, options: dict[str, Any]) -> None:
        membership = staff.change_role(options["username"], role=options["role"])
        self.show(_facts(membership), options=options, title="Changed a role")

    def password(self, options: dict[str, Any]) -> None:
        result = staff.change_password(options["username"])
        facts = _facts(result.membership) | {"password": result.password}
        self.show(facts, options=options, title="Changed a password", note=ONCE)

    def reset(self, options: dict[str, Any]) -> None:
        membership = staff.reset_second_factor(options["username"])
        self.show(_facts(membership), options=options, title="Forgot a second factor")

    def off(self, options: dict[str, Any]) -> None:
        membership = staff.switch(options["username"], is_active=False)
        self.show(_facts(membership), options=options, title="Kept somebody out")

    def on(self, options: dict[str, Any]) -> None:
        membership = staff.switch(options["username"], is_active=True)
        self.show(_facts(membership), options=options, title="Let somebody in")


def _facts(membership: Membership) -> dict[str, Any]:
    enrolled = second_factor.is_enrolled(membership.user)
    return {
        "tenant": membership.tenant.slug,
        "username": membership.user.username,
        "role": staff.role_of(membership),
        "active": membership.user.is_active,
        "second_factor": (
            "enrolled" if enrolled else "to enroll" if membership.needs_second_factor else "none"
        ),
    }
