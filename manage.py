#!/usr/bin/env python
"""Django's command line; `./run manage …` calls it with the embedded servers at hand."""

import os
import signal
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
    try:
        from django.core.management import execute_from_command_line

        from ordermgmt.launcher.environment import errors_in_one_line

        with errors_in_one_line():
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # what a shell expects, in place of a traceback
