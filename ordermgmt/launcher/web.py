"""`python -m ordermgmt.launcher.web OPTIONS`: granian, with the application loaded before it forks.

So its processes start at once, also after a crash, and share what they have in common in memory.
Nothing here may open a connection: it would be shared, too.
"""

import gc
import importlib
import os
import resource
import sys

from granian import cli

from ordermgmt.http import outbound_waits, request_slots
from ordermgmt.launcher.environment import told_in_one_line

TARGET = "ordermgmt.wsgi:application"  # loaded by each process for itself: see there
OPTIONS = ["--interface", "wsgi", "--http", "1", "--no-ws", "--backlog", "4096"]
OPTIONS += ["--respawn-failed-workers", "--workers-kill-timeout", "10"]
# Milliseconds that a client may take for a header, and a connection may be kept without one.
OPTIONS += ["--http1-header-read-timeout", "5000"]
# While one request of a process waits, for the database or a slow client, others go on; and more
# may wait for other systems.
OPTIONS += ["--blocking-threads", str(request_slots.REQUEST_SLOTS + outbound_waits.OUTBOUND_WAITS)]
OWN_FILES = 200  # what a process opens beside the connections of its clients


def connections() -> int:
    """Have as many open files as the system allows; return how many connections that makes.

    Granian accepts no more than it is told to hold, and a silent connection counts as one.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if most == resource.RLIM_INFINITY else most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(most - OWN_FILES, 128)


def preload() -> None:
    """Import what every request needs, and have granian use our workers."""
    import django
    from django.conf import settings

    django.setup()
    importlib.import_module(settings.ROOT_URLCONF)
    cli.Server = importlib.import_module("ordermgmt.launcher.serving").Server  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # else the collector would touch, and so copy, every shared page


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
    with told_in_one_line():
        preload()
    options = [*OPTIONS, "--backpressure", str(connections())]
    sys.argv = ["granian", *options, *sys.argv[1:], TARGET]
    cli.cli()
