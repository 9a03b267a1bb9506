"""Streamed answers, by the real web server with an application of the test."""

import http.client
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ordermgmt.launcher.embedded import ROOT
from ordermgmt.launcher.processes import spawn, stop, wait_until
from tests.e2e.stack import free_port

APPLICATION = """
from pathlib import Path

class Answer:
    streaming = True
    made = 0

    def __iter__(self):
        for self.made in range(1, 1_001):
            Path("made").write_text(str(self.made))
            yield b"x" * 100_000

    def close(self):
        Path("closed").write_text(str(self.made))

def application(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("broken")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Answer()
"""
SERVER = """
import sys
import django
django.setup()
from granian import cli
from ordermgmt.launcher.serving import Server
cli.Server = Server
sys.argv = ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--blocking-threads", "2"]
sys.argv += ["--port", sys.argv_port, "streaming:application"]
cli.cli()
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "streaming.py").write_text(APPLICATION)
    number = free_port()
    code = f"import os, sys; sys.argv_port = '{number}'; os.chdir({str(tmp_path)!r})\n{SERVER}"
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "ordermgmt.settings", "PYTHONPATH": path}
    child = spawn([sys.executable, "-c", code], log=tmp_path / "web.log", env=env)
    assert wait_until(lambda: answers(number), timeout=30), (tmp_path / "web.log").read_text()
    yield number
    stop(child)


def answers(port: int) -> bool:
    try:
        return status(port, "/broken") == 500
    except OSError:
        return False


def status(port: int, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_a_stream_arrives_whole(port: int, tmp_path: Path) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/")
        body = connection.getresponse().read()

    assert len(body) == 100_000_000
    assert wait_until((tmp_path / "closed").exists, timeout=10)


def test_a_stream_is_made_no_faster_than_it_is_read_and_ends_with_its_reader(
    port: int, tmp_path: Path
) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        line.recv(1_000)
        assert not wait_until(lambda: (tmp_path / "made").read_text() == "1000", timeout=2)

    assert wait_until((tmp_path / "closed").exists, timeout=10)
    assert int((tmp_path / "closed").read_text()) < 1_000


def test_an_application_that_fails_is_answered_in_our_envelope(port: int) -> None:
    assert [status(port, "/broken") for _ in range(5)] == [500] * 5
