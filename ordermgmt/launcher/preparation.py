"""Preparation of `up`: database tables, static files and the demo tenant."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate() -> bool:
    """Apply migrations; return whether there were any."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def collect_static() -> bool:
    """Collect the static files; return whether any had changed."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.stamp")
    signature = _static_signature()
    if root.exists() and stamp.exists() and stamp.read_text() == signature:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(signature)
    return True


def _static_signature() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def demo() -> dict[str, Any]:
    """Return the demo tenant's facts, created on first use; empty without that command."""
    if "demo" not in get_commands():
        return {}
    output = io.StringIO()
    call_command("demo", "--json", stdout=output)
    facts: dict[str, Any] = json.loads(output.getvalue())
    return facts
