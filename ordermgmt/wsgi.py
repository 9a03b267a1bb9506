"""What the web server calls: the WSGI application."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from ordermgmt.http import request_slots
from ordermgmt.launcher.processes import die_with_parent


class Request(WSGIRequest):
    """A request in UTF-8, whatever its body claims to be in.

    Django reads the address in the body's charset, and fails before anybody can refuse it where
    that is one for no text ("base64").
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(
            meta.get("CONTENT_TYPE", "")
        )


class Handler(WSGIHandler):
    request_class = Request


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

if os.environ.get("ORDERMGMT_SUPERVISED"):  # by `up`: loaded in each web process of its server
    die_with_parent(os.getppid())

django.setup(set_prefix=False)
handler = Handler()


def application(environ: Any, start_response: Any) -> Any:
    """What a web server calls: a request is worked on when there is a desk for it.

    Whether this process lives is answered without one.
    """
    if environ.get("PATH_INFO") == "/healthz":
        return handler(environ, start_response)
    with request_slots.request_slot():
        return handler(environ, start_response)
