"""A wrong variable is reported in one line that names it, by every command."""

import os
import subprocess
import sys

import pytest

from tests.floor.test_run import ROOT

WRONG = {
    "DATABASE_URL": ["nonsense", "postgresql://x", "postgresql://h:port/x", "mysql://h/x"],
    "LOG_LEVEL": ["LOUD"],
    "SECURE_HSTS_SECONDS": ["soon"],
    "ENCRYPTION_KEYS": ["x"],
}


def error_line(folder, *words: str, status: int = 2, **environment: str) -> str:
    """The one line that a command says before it ends."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | {"ORDERMGMT_DATA_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    [line] = done.stderr.splitlines()
    assert done.returncode == status
    return line


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_told_by_the_name_of_its_variable(tmp_path, name, value):
    seal = "from ordermgmt.launcher.environment import errors_in_one_line\nimport django\n"
    seal += "with errors_in_one_line():\n django.setup()\n"
    seal += " from ordermgmt import encryption\n encryption.seal(b'', associated_data='a')"
    words = ["-c", seal] if name == "ENCRYPTION_KEYS" else ["manage.py", "tenant", "list"]

    assert name in error_line(tmp_path, *words, **{name: value})


@pytest.mark.parametrize("words", [["manage.py", "check"], ["-m", "ordermgmt.launcher.web"]])
def test_commands_and_the_web_server_tell_it(tmp_path, words):
    assert "LOG_LEVEL" in error_line(tmp_path, *words, LOG_LEVEL="LOUD")


@pytest.mark.parametrize(
    ("words", "status"),
    [(["manage.py", "tenant", "list"], 2), (["-m", "ordermgmt.launcher.embedded", "true"], 1)],
)
def test_a_file_that_is_not_utf_8_is_told_by_its_name(tmp_path, words, status):
    file = tmp_path / "env"
    file.write_bytes(b"A=\xff")

    line = error_line(tmp_path, *words, status=status, ORDERMGMT_ENV_FILE=str(file))

    assert f"{file} is not UTF-8" in line
