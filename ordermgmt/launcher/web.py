"""`python -m ordermgmt.launcher.web OPTIONS`: granian, with the application loaded before it forks.

Its processes start at once, also after a crash, and share memory. Nothing here may open a
connection, because the processes would share it.
"""

import gc
import importlib
import os
import resource
import sys

from granian import cli

from ordermgmt.http import outbound_waits, request_slots
from ordermgmt.launcher.environment import errors_in_one_line

TARGET = "ordermgmt.wsgi:application"  # loaded by each process for itself: see there
OPTIONS = ["--interface", "wsgi", "--http", "1", "--no-ws", "--backlog", "4096"]
OPTIONS += ["--respawn-failed-workers", "--workers-kill-timeout", "10"]
# Milliseconds for a client to send a header, also on a kept connection.
OPTIONS += ["--http1-header-read-timeout", "5000"]
# One thread per request slot and per wait: see ordermgmt/http/request_slots.py.
OPTIONS += ["--blocking-threads", str(request_slots.REQUEST_SLOTS + outbound_waits.OUTBOUND_WAITS)]
OWN_FILES = 200  # open files of a process besides the connections of its clients


def connections() -> int:
    """Raise the limit of open files to the maximum; return the number of connections it allows.

    Granian accepts no more than this number, and a silent connection counts as one.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if most == resource.RLIM_INFINITY else most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(most - OWN_FILES, 128)


def preload() -> None:
    """Import the application, and make granian use our workers."""
    import django
    from django.conf import settings

    django.setup()
    importlib.import_module(settings.ROOT_URLCONF)
    cli.Server = importlib.import_module("ordermgmt.launcher.serving").Server  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # otherwise the collector would touch and so copy every shared page


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
    with errors_in_one_line():
        preload()
    options = [*OPTIONS, "--backpressure", str(connections())]
    sys.argv = ["granian", *options, *sys.argv[1:], TARGET]
    cli.cli()
