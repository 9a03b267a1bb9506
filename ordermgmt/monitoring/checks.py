"""System checks of an installation; `manage.py check --deploy` runs all of them."""

import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import redis
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import OperationalError

from ordermgmt.launcher import embedded
from ordermgmt.monitoring.health import broker

OLDEST_POSTGRESQL: Final = 15
# Option of the database connection → the damage without it.
TIMEOUTS: Final = {
    "statement_timeout": "one slow statement holds a worker for ever",
    "lock_timeout": "one stuck transaction queues all others",
    "idle_in_transaction_session_timeout": "a client that hangs keeps its locks",
}

# In .env.example, which names every variable, most stand behind a "# ".
_SET: Final = re.compile(r"^(?:export )?([A-Za-z_]\w*)=", re.MULTILINE)
_EXPLAINED: Final = re.compile(r"^(?:# )?([A-Z_]+)=", re.MULTILINE)

Configs = Sequence[AppConfig] | None


@register(Tags.security, deploy=True)
def debug_is_off(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG is on.",
            hint="Unset DEBUG: error pages would show source and settings.",
            id="ordermgmt.E001",
        )
    ]


@register(Tags.security, deploy=True)
def secrets_are_our_own(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """Report secrets of the data folder, which are lost with it and differ between machines."""
    path = settings.DATA_DIR / "secrets.json"
    generated = dict(embedded.secrets(settings.DATA_DIR)) if path.exists() else {}
    return [
        Error(
            f"{name} is the one generated in the data folder.",
            hint=f"Set {name} in the environment, the same on every machine, and keep a copy.",
            id="ordermgmt.E002",
        )
        for name in ("SECRET_KEY", "ENCRYPTION_KEYS")
        if generated.get(name) == getattr(settings, name)
    ]


@register(Tags.security, deploy=True)
def nothing_fails_on_purpose(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """Report failpoints, which are for tests and would kill processes in production."""
    if not settings.FAILPOINTS:
        return []
    return [
        Error("FAILPOINTS is set.", hint="Unset it: it makes processes fail.", id="ordermgmt.E008")
    ]


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS allows every host.",
            hint="Name the hosts clients call.",
            id="ordermgmt.E003",
        )
    ]


@register("database_settings", deploy=True)
def connections_do_not_hang(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    options = database.get("OPTIONS", {})
    messages: list[CheckMessage] = [
        Error(
            f"The database connection has no {name}.",
            hint=f"Give it one in DATABASES: without, {why}.",
            id="ordermgmt.E004",
        )
        for name, why in TIMEOUTS.items()
        if f"{name}=" not in options.get("options", "") or f"{name}=0" in options["options"].split()
    ]
    if not options.get("connect_timeout") or not options.get("tcp_user_timeout"):
        messages.append(
            Error(
                "The database connection waits for ever on a dead network.",
                hint="Set connect_timeout and tcp_user_timeout in its OPTIONS.",
                id="ordermgmt.E005",
            )
        )
    if database.get("CONN_MAX_AGE") and not database.get("CONN_HEALTH_CHECKS"):
        messages.append(
            Error(
                "Kept connections are not tested before use.",
                hint="Set CONN_HEALTH_CHECKS: else the first requests after a restart "
                "of the database fail.",
                id="ordermgmt.E006",
            )
        )
    return messages


@register(Tags.database)
def postgresql_is_recent(
    app_configs: Configs, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        hint = f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer."
        if connection.vendor != "postgresql":
            messages.append(
                Error("The database is not PostgreSQL.", hint=hint, id="ordermgmt.E007")
            )
            continue
        try:
            with connection.cursor() as cursor:
                cursor.execute("SHOW server_version_num")
                version = int(cursor.fetchone()[0]) // 10_000
        except OperationalError:
            continue  # /readyz reports a database that cannot be reached
        if version < OLDEST_POSTGRESQL:
            messages.append(
                Error(f"PostgreSQL {version} is too old.", hint=hint, id="ordermgmt.E007")
            )
    return messages


# Setting of PostgreSQL → the value that keeps customer data out of its log.
QUIET: Final = {
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@register(Tags.database, deploy=True)
def logs_name_no_customers(
    app_configs: Configs, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Report settings that let PostgreSQL log statements' values or rows of customers."""
    settings_of = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
    loud: dict[str, str] = {}
    for alias in databases or []:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(settings_of, [list(QUIET)])
                loud |= {name: value for name, value in cursor if value != QUIET[name]}
        except OperationalError:
            continue
    return [
        Warning(
            f"PostgreSQL's {name} is {value}: its log may quote customers.",
            hint=f"Set {name} = {QUIET[name]}.",
            id="ordermgmt.W003",
        )
        for name, value in sorted(loud.items())
    ]


@register("broker", deploy=True)
def broker_evicts_nothing(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    try:
        policy = broker().config_get("maxmemory-policy").get("maxmemory-policy")
    except (redis.RedisError, OSError):
        return []  # unreachable, or a managed broker that hides its settings
    if policy == "noeviction":
        return []
    return [
        Warning(
            f"The broker's maxmemory-policy is {policy}: it may drop queued work.",
            hint="Set maxmemory-policy noeviction.",
            id="ordermgmt.W001",
        )
    ]


@register("environment")
def variables_are_spelled_as_we_read_them(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """Report misspelled variables in .env, which have no effect."""
    file = Path(os.environ.get("ORDERMGMT_ENV_FILE", embedded.ROOT / ".env"))
    example = embedded.ROOT / ".env.example"
    if not file.is_file() or not example.is_file():
        return []
    variables = dict.fromkeys(_EXPLAINED.findall(example.read_text()))
    unknown = [name for name in _SET.findall(file.read_text()) if name not in variables]
    meant = {name: get_close_matches(name.upper(), variables, n=1, cutoff=0.8) for name in unknown}
    return [
        Warning(
            f"{file.name} sets {name}, which nothing reads.",
            hint=f"Did you mean {names[0]}?",
            id="ordermgmt.W002",
        )
        for name, names in meant.items()
        if names  # a library may read the others, as with SSL_CERT_FILE
    ]
