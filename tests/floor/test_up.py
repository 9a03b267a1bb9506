"""The command `./run up`: it serves, recovers, refuses a second run and cleans up."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from ordermgmt.launcher.processes import wait_until
from tests.e2e.stack import ROOT, Stack, free_port, running_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack("--no-demo") as running:
        assert wait_until(lambda: "ready." in running.log("worker"), timeout=30)
        yield running


def up_again(stack: Stack, *options: str) -> str:
    """Return the refusal of another `./run up` on the same data folder."""
    command = [str(ROOT / "run"), "up", *options]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_it_serves_pages_and_static_files(stack):
    assert stack.get("/readyz")[0] == 200
    assert stack.get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css")[0] == 200


def test_it_says_that_the_worker_works(stack):
    def worker() -> str:
        return json.loads(stack.get("/readyz")[1])["checks"]["worker"]

    assert wait_until(lambda: worker() == "ok", timeout=20)
    assert stack.get("/metrics")[1].count(b"\nordermgmt_worker_silence_seconds ") == 1


def test_it_says_where_everything_is(stack):
    output = stack.output()

    assert stack.url in output
    assert f"{stack.data_dir}/log/" in output


def test_a_command_uses_its_database_while_it_runs(stack):
    assert "[X] 0001_initial" in stack.manage("showmigrations", "orders")
    assert stack.get("/readyz")[0] == 200


def test_a_second_one_says_where_the_first_is(stack):
    refusal = up_again(stack, "--port", str(free_port()))

    assert stack.url in refusal
    assert str(stack.launcher.pid) in refusal


def test_fresh_does_not_pull_the_data_from_under_a_running_one(stack):
    assert "already running" in up_again(stack, "--fresh")
    assert stack.get("/readyz")[0] == 200


def test_a_taken_port_is_explained(stack, tmp_path):
    command = [str(ROOT / "run"), "up", "--port", str(stack.port), "--data-dir", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"--port {stack.port + 1}" in done.stderr


@pytest.mark.parametrize(
    "name",
    ["bin/postgres", "valkey-server", "ordermgmt.launcher.web", "celery worker", "celery beat"],
)
def test_what_is_killed_comes_back(stack, name):
    [victim] = stack.children(name)

    os.kill(victim, signal.SIGKILL)

    assert wait_until(lambda: stack.children(name) not in ([], [victim]), timeout=20)
    assert wait_until(stack.is_ready, timeout=20)


def test_a_killed_web_process_comes_back(stack):
    [web] = stack.children("ordermgmt.launcher.web")
    assert wait_until(lambda: len(stack.children("", of=web)) == 2, timeout=20)
    victim, survivor = stack.children("", of=web)

    os.kill(victim, signal.SIGKILL)

    def is_replaced() -> bool:
        now = stack.children("", of=web)
        return len(now) == 2 and victim not in now and survivor in now

    assert wait_until(is_replaced, timeout=20)


def test_nothing_is_left_when_the_launcher_is_killed_and_the_data_is_still_there():
    with running_stack("--no-demo") as stack:
        assert wait_until(lambda: "ready." in stack.log("worker"), timeout=30)
        assert len(stack.processes()) >= 8
        stack.kill()

        assert wait_until(lambda: not stack.processes(), timeout=5)

        stack.start()
        assert stack.get("/readyz")[0] == 200


def test_nothing_is_left_when_it_is_told_to_stop():
    with running_stack("--no-demo") as stack:
        os.kill(stack.launcher.pid, signal.SIGTERM)

        assert stack.launcher.wait(30) == 0
        assert not stack.processes()
        assert "database system is shut down" in stack.log("postgres")
