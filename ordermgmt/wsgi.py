"""The WSGI application."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from ordermgmt.http import request_slots
from ordermgmt.launcher.processes import die_with_parent


class Request(WSGIRequest):
    """A request that is always read as UTF-8.

    Django decodes the address with the body's charset. It fails before a view can refuse the
    request when the charset is not one of text ("base64").
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
    """Answer a request in a request slot; `/healthz` needs none."""
    if environ.get("PATH_INFO") == "/healthz":
        return handler(environ, start_response)
    with request_slots.request_slot():
        return handler(environ, start_response)
