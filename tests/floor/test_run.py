"""The script says what it can do, and the settings say what they read."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.stack import free_port

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["up", "test", "check", "manage", "shell", "bench", "docs", "lock", "help"]


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
