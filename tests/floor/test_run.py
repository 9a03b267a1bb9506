"""The help of the script, and the documentation of the settings."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.stack import free_port

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    "up",
    "test",
    "check",
    "manage",
    "shell",
    "bench",
    "docs",
    "screenshots",
    "lock",
    "help",
]


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [str(ROOT / "run"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_names_every_command():
    text = run().stdout

    assert re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE) == COMMANDS
    assert run("help").stdout == run("--help").stdout == text


def test_an_unknown_command_is_told_the_known_ones():
    answer = run("dance")

    assert answer.returncode == 1
    assert '"dance"' in answer.stderr
    assert "./run COMMAND" in answer.stderr


def test_every_setting_is_explained_in_the_example():
    read = set(
        re.findall(r"env\.\w+\(\s*[\"']([A-Z_]+)", (ROOT / "ordermgmt/settings.py").read_text())
    )
    explained = set(
        re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )

    assert read
    assert read <= explained


@pytest.mark.parametrize("seconds", [0.3, 1.2])
def test_ctrl_c_while_it_starts_shows_no_traceback(tmp_path, seconds):
    up = subprocess.Popen(
        [str(ROOT / "run"), "up", "--port", str(free_port()), "--data-dir", str(tmp_path)],
        # On the tests' database its demo would be in the way of others.
        env=os.environ | {"DATABASE_URL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell's background jobs ignore it, and so would its grandchildren.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(seconds)

    os.killpg(up.pid, signal.SIGINT)

    output, _ = up.communicate(timeout=60)
    assert up.returncode in (0, 130)
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "words", [["up", "--port", str(free_port())], ["manage", "tenant", "list"]]
)
def test_a_database_that_is_not_there_is_told_in_one_line(tmp_path, words):
    nowhere = f"postgresql://ordermgmt@127.0.0.1:{free_port()}/ordermgmt"
    theirs = {"ORDERMGMT_DATA_DIR": str(tmp_path), "DATABASE_URL": nowhere}

    done = subprocess.run(
        [str(ROOT / "run"), *words],
        env=os.environ | theirs | {"REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "The database does not serve us" in done.stderr
    assert "Traceback" not in done.stderr


WRONG_WORDS = [
    (["--workers", "0"], "--workers: .* 1 or more"),
    (["--port", "0"], "--port: .* 1 to 65535"),
    (["--port", "99999"], "--port: .* 1 to 65535"),
    (["--data-dir", ""], "--data-dir: .* of a folder"),
]


@pytest.mark.parametrize(("words", "message"), WRONG_WORDS)
def test_up_refuses_what_cannot_be_meant(tmp_path, words, message):
    done = subprocess.run(
        [sys.executable, "manage.py", "up", *words],
        cwd=ROOT,
        env=os.environ | {"ORDERMGMT_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 2
    assert re.search(message, done.stderr.splitlines()[-1])


def test_help_of_up_says_what_is_assumed(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--help"],
        cwd=ROOT,
        env=os.environ | {"ORDERMGMT_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert {"(127.0.0.1)", "(8000)", "(2)"} <= set(done.stdout.split())


@pytest.mark.parametrize("words", [["up"], ["manage", "tenant", "list"]])
@pytest.mark.parametrize("own_secrets", [False, True])
@pytest.mark.parametrize("folder", ["a-file", "a-file/below", "/proc/nowhere/below"])
def test_a_data_folder_that_cannot_be_is_told_in_one_line(tmp_path, words, folder, own_secrets):
    (tmp_path / "a-file").touch()
    # With secrets of their own, nobody needs the folder before the first lock in it.
    theirs = {"SECRET_KEY": "x" * 50, "ENCRYPTION_KEYS": "1:x"} if own_secrets else {}

    done = subprocess.run(
        [str(ROOT / "run"), *words],
        env=os.environ | {"ORDERMGMT_DATA_DIR": str(tmp_path / folder)} | theirs,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / folder) in done.stderr
    assert "ORDERMGMT_DATA_DIR" in done.stderr


def bootstrap(folder: Path, uv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`./run manage` in a copy of the project that has a .venv of fakes, and what it says."""
    (folder / "requirements").mkdir()
    for name in ("base", "embedded", "uv"):
        (folder / f"requirements/{name}.lock").write_text("")
    shutil.copy(ROOT / "run", folder)
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name, text in {"uv": uv, "python": 'echo "$@" >>calls'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["./run", "manage", "check"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_working_uv_pip_installs(tmp_path):
    done = bootstrap(tmp_path, uv="exit 127")

    assert done.returncode == 0
    assert "trying pip" in done.stderr
    calls = (tmp_path / "calls").read_text()
    assert "-m pip install" in calls
    assert "--requirement=requirements/base.lock --requirement=requirements/embedded.lock" in calls


def test_what_is_installed_is_compiled(tmp_path):
    bootstrap(tmp_path, uv='echo "$@" >>calls')

    assert "--compile-bytecode" in (tmp_path / "calls").read_text()


def test_a_python_without_venv_is_explained(tmp_path):
    python = tmp_path / "python-without-venv"
    python.write_text(f'#!/bin/sh\ncase "$*" in *venv*) exit 1; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    shutil.copy(ROOT / "run", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")

    done = subprocess.run(
        ["./run", "manage", "check"],
        cwd=tmp_path,
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
