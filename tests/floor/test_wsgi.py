"""The WSGI application, called as the web server calls it."""

import io
from typing import Any

import pytest

from ordermgmt import wsgi
from ordermgmt.http import request_slots
from ordermgmt.wsgi import application


def call(**environ: Any) -> tuple[str, bytes]:
    answered: list[str] = []
    response = application(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/healthz",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            **environ,
        },
        lambda status, headers: answered.append(status),
    )
    body = b"".join(response)
    response.close()
    return answered[0], body


@pytest.mark.parametrize("charset", ["base64", "bogus", "utf-16", "rot13"])
def test_a_body_in_no_text_at_all_does_not_spoil_the_address(charset):
    status, _ = call(
        QUERY_STRING="id_type=internal", CONTENT_TYPE=f"application/json; charset={charset}"
    )

    assert status == "200 OK"


def test_a_request_is_answered_in_a_slot(monkeypatch):
    slots = []
    monkeypatch.setattr(
        wsgi, "handler", lambda environ, start: slots.append(request_slots._own.slot)
    )

    application({}, None)

    assert slots != [None]
    assert request_slots._own.slot is None
