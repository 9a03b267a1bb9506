"""`manage.py demo`: a demo tenant with a client, locations and orders."""

import json
import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from configuration import keys
from configuration.models import Client, Tenant
from configuration.services import clients, locations, service_levels, staff, tenants, write
from ordermgmt.console.roles import ROLES
from ordermgmt.management.base import OneLineCommand
from orders import demo, demo_changes
from orders.api import capture_models
from orders.models import Order
from orders.services.capture import capture

TENANT: Final = "demo"
CLIENT: Final = "demo-shop"
ACTOR: Final = "command:demo"
STAFF: Final = {f"{role}@{TENANT}": role for role in ROLES}
SETTINGS: Final[dict[str, Any]] = {
    "sales_order_generator_sequence": {"prefix": "NS", "size": 9, "start": 1, "step": 1},
    "on_hold_timer_duration": 900,
    "big_sales_order": {"soft_limit_for_big_orders": 20},
    "cancellation_allowed_from": ["store", "dc"],
}


class Command(OneLineCommand):
    help = (
        "Create the tenant 'demo' with a client, locations, settings and a few hundred orders. "
        "Safe to repeat: existing data and the client's secret stay the same."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=TENANT).first() or self._set_up()
        credentials = self._credentials(tenant)
        if not Order.objects.filter(tenant=tenant).exists():
            self._capture_all(tenant)
        facts = {"tenant": TENANT, **credentials, "people": ", ".join(STAFF)}
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            for name, value in facts.items():
                self.stdout.write(f"{name}: {value}")

    def _set_up(self) -> Tenant:
        tenant = tenants.create(TENANT, name="Demo retailer")
        for location in demo.LOCATIONS:
            locations.put(tenant=tenant, **location._asdict())
        for level in demo.SERVICE_LEVELS:
            service_levels.put(tenant=tenant, **level._asdict())
        for name, value in SETTINGS.items():
            key = keys.find(name)
            write(tenant, key, key.parse(value), actor=ACTOR)
        return tenant

    def _credentials(self, tenant: Tenant) -> dict[str, str]:
        """Return the demo's client id, secret and password, and store them in the data directory.

        The database has only hashes. Missing credentials, or those of another database, are
        replaced by new ones.
        """
        file = Path(settings.DATA_DIR) / "demo.json"
        stored: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        credentials = self._secret(tenant, stored) | self._password(tenant, stored)
        if credentials != stored:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(json.dumps(credentials))
        return credentials

    def _secret(self, tenant: Tenant, stored: dict[str, str]) -> dict[str, str]:
        client = Client.objects.filter(tenant=tenant, name=CLIENT).first()
        if client and client.client_id == stored.get("client_id"):
            return {name: stored[name] for name in ("client_id", "client_secret")}
        credentials = (
            clients.rotate(client.client_id)
            if client
            else clients.create(tenant=tenant, name=CLIENT)
        )
        return {"client_id": credentials.client.client_id, "client_secret": credentials.secret}

    def _password(self, tenant: Tenant, stored: dict[str, str]) -> dict[str, str]:
        """Return the password of all demo users. Create missing users without a second factor."""
        password = stored.get("password") or secrets.token_urlsafe(15)
        memberships = staff.of_tenant(tenant).filter(user__username__in=STAFF)
        users = {membership.user.username: membership.user for membership in memberships}
        for name in STAFF.keys() - users.keys():
            staff.create(
                tenant=tenant,
                username=name,
                role=STAFF[name],
                password=password,
                needs_second_factor=False,
            )
        # Only one user is checked, because password hashes are slow.
        if users and not next(iter(users.values())).check_password(password):
            for name in STAFF:
                staff.change_password(name, password=password)
        return {"password": password}

    def _capture_all(self, tenant: Tenant) -> None:
        bodies = list(demo.bodies(timezone.now()))
        for body in track(
            bodies,
            description="Capturing demo orders",
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        ):
            new = capture_models.parse(body).draft()
            capture(tenant=tenant, new=new, actor=ACTOR)
        demo_changes.apply(tenant)
