"""The command `manage.py fake_oms`: a fake external OMS for tests and demos."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webhooks.fake_oms import __main__ as fake_oms


class Command(BaseCommand):
    help = fake_oms.HELP
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        fake_oms.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        fake_oms.run(options)
