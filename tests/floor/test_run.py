"""The script says what it can do, and the settings say what they read."""

import re
import subprocess
from pathlib import Path

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
