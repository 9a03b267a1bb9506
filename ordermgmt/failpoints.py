"""Failpoints: places where a test may stop, break or kill the process around a COMMIT.

Set FAILPOINTS to `name:action` pairs separated by commas; an action is `kill`, `raise`, or a
number of seconds to sleep. Unset, as in production (a deployment check refuses it there), a
failpoint costs one look-up in an empty dictionary.
"""

import os
import signal
import time

from django.conf import settings


class Failure(Exception):
    """The exception of a failpoint with the action `raise`."""


def failpoint(name: str) -> None:
    """Perform the action that FAILPOINTS has for this name, if any."""
    if not settings.FAILPOINTS:
        return
    action = settings.FAILPOINTS.get(name)
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise Failure(name)
    elif action:
        time.sleep(float(action))
