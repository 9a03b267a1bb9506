"""`manage.py demo`: a tenant to try things on, with a client, locations and orders."""

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
PEOPLE: Final = {f"{role}@{TENANT}": role for role in ROLES}
SETTINGS: Final[dict[str, Any]] = {
    "sales_order_generator_sequence": {"prefix": "NS", "size": 9, "start": 1, "step": 1},
    "on_hold_timer_duration": 900,
    "big_sales_order": {"soft_limit_for_big_orders": 20},
    "cancellation_allowed_from": ["store", "dc"],
}


class Command(OneLineCommand):
    help = (
        "Make the tenant 'demo' with a client, locations, settings and a few hundred orders. "
        "Safe to repeat: what is there stays, and the client's secret stays the same."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=TENANT).first() or self._set_up()
        credentials = self._credentials(tenant)
        if not Order.objects.filter(tenant=tenant).exists():
            self._capture_all(tenant)
        facts = {"tenant": TENANT, **credentials, "people": ", ".join(PEOPLE)}
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            for name, value in facts.items():
                self.stdout.write(f"{name}: {value}")

    def _set_up(self) -> Tenant:
        tenant = tenants.create(TENANT, name="Demo retailer")
        for code, kind, name, countries, priority in demo.LOCATIONS:
            locations.put(
                tenant=tenant,
                code=code,
                type=kind,
                name=name,
                country_codes=countries,
                priority=priority,
            )
        for identifier, name, remorse_period, shipping_type in demo.SERVICE_LEVELS:
            service_levels.put(
                tenant=tenant,
                identifier=identifier,
                name=name,
                remorse_period=remorse_period,
                shipping_type=shipping_type,
            )
        for name, value in SETTINGS.items():
            key = keys.find(name)
            write(tenant, key, key.parse(value), actor=ACTOR)
        return tenant

    def _credentials(self, tenant: Tenant) -> dict[str, str]:
        """The demo's secret and password, kept in the data directory because only hashes are not.

        Where they were lost, or belong to another database, there are new ones.
        """
        file = Path(settings.DATA_DIR) / "demo.json"
        kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        credentials = self._secret(tenant, kept) | self._password(tenant, kept)
        if credentials != kept:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(json.dumps(credentials))
        return credentials

    def _secret(self, tenant: Tenant, kept: dict[str, str]) -> dict[str, str]:
        client = Client.objects.filter(tenant=tenant, name=CLIENT).first()
        if client and client.client_id == kept.get("client_id"):
            return {name: kept[name] for name in ("client_id", "client_secret")}
        made = (
            clients.rotate(client.client_id)
            if client
            else clients.create(tenant=tenant, name=CLIENT)
        )
        return {"client_id": made.client.client_id, "client_secret": made.secret}

    def _password(self, tenant: Tenant, kept: dict[str, str]) -> dict[str, str]:
        """One for all people of the demo, who need no phone: it is on this machine's screen."""
        password = kept.get("password") or secrets.token_urlsafe(15)
        found = staff.of_tenant(tenant).filter(user__username__in=PEOPLE)
        there = {one.user.username: one.user for one in found}
        for name in PEOPLE.keys() - there.keys():
            staff.create(
                tenant=tenant,
                username=name,
                role=PEOPLE[name],
                password=password,
                needs_second_factor=False,
            )
        # One stands for all: a check takes as long as a guess.
        if there and not next(iter(there.values())).check_password(password):
            for name in PEOPLE:
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
        demo_changes.tell(tenant)
