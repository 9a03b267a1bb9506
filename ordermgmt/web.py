"""`python -m ordermgmt.web OPTIONS`: granian, with the application loaded before it forks.

So its processes start at once, also after a crash, and share what they have in common in memory.
Nothing here may open a connection: it would be shared, too.
"""

import gc
import importlib
import os
import sys

from granian.cli import cli

from ordermgmt import waiting
from ordermgmt.environment import told_in_one_line

TARGET = "ordermgmt.wsgi:application"  # loaded by each process for itself: see there
OPTIONS = ["--interface", "wsgi", "--http", "1", "--no-ws", "--backlog", "1024"]
OPTIONS += ["--respawn-failed-workers", "--workers-kill-timeout", "10"]
# While one request of a process waits, for the database or a slow client, others go on; and more
# may wait for other systems.
OPTIONS += ["--blocking-threads", str(waiting.AT_WORK + waiting.ASIDE)]


def preload() -> None:
    """Import what every request needs."""
    import django
    from django.conf import settings

    django.setup()
    importlib.import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()  # else the collector would touch, and so copy, every shared page


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
    with told_in_one_line():
        preload()
    sys.argv = ["granian", *OPTIONS, *sys.argv[1:], TARGET]
    cli()
