"""Clients generated from the OpenAPI document by public generators, on a running stack."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT, Stack

SDK = Path(__file__).parent / "sdk"
REQUIREMENTS = ROOT / "requirements" / "sdk.lock"
NPM = [SDK / name for name in ("package.json", "package-lock.json")]
CACHE = ROOT / ".cache" / "sdk"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Tools:
    """The generators, their Java, their node and the libraries of their code, all pinned."""

    bin: Path
    node_modules: Path

    def run(self, *command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
        """Run a tool of these and return what it prints; it must succeed."""
        return run(self.bin / command[0], *command[1:], cwd=cwd, env=self.env | (env or {}))

    def run_npm_tool(self, name: str, *words: str | Path, cwd: Path) -> str:
        """Run a tool that npm installed."""
        return self.run("node", self.node_modules / ".bin" / name, *words, cwd=cwd)

    @property
    def env(self) -> dict[str, str]:
        silent = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
        return silent | {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def tools() -> Tools:
    """Install the packages of the lock files once, until these change."""
    locks = b"".join(path.read_bytes() for path in (REQUIREMENTS, *NPM))
    wanted = f"{hashlib.sha256(locks).hexdigest()} {sys.version}"
    installed = Tools(bin=CACHE / "venv" / "bin", node_modules=CACHE / "node_modules")
    marker = CACHE / "installed"
    if not marker.exists() or marker.read_text() != wanted:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        run(sys.executable, "-m", "venv", CACHE / "venv", cwd=CACHE)
        pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r")
        installed.run("python", *pip, REQUIREMENTS, cwd=CACHE)
        for path in NPM:
            shutil.copy(path, CACHE)
        installed.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=CACHE)
        marker.write_text(wanted)
    return installed


@pytest.fixture(scope="module")
def document(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document as the stack serves it."""
    status, body = stack.get("/openapi.yaml")
    assert status == 200
    path = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    path.write_bytes(body)
    return path


@pytest.fixture
def credentials(stack: Stack) -> Callable[[str], dict[str, str]]:
    """Create a tenant for a session, and return its environment variables."""

    def create(tenant: str) -> dict[str, str]:
        stack.manage("tenant", "create", tenant)
        sequence = json.dumps({"prefix": "SDK", "size": 9})
        stack.manage("config", "set", tenant, "sales_order_generator_sequence", sequence)
        stack.manage("config", "set", tenant, "on_hold_timer_duration", "600")
        client = stack.manage_json("client", "create", "--tenant", tenant, "--name", "sdk")
        return {
            "SDK_URL": stack.url,
            "SDK_TENANT": tenant,
            "SDK_CLIENT_ID": client["client_id"],
            "SDK_CLIENT_SECRET": client["client_secret"],
        }

    return create


def test_redocly_finds_no_fault(tools: Tools, document: Path, tmp_path: Path) -> None:
    words = ("lint", document, "--extends", "recommended", "--format", "json")

    report = json.loads(tools.run_npm_tool("redocly", *words, cwd=tmp_path))

    faults = {problem["ruleId"] for problem in report["problems"]}
    assert faults <= {"info-license"}  # the project has none yet


def test_the_client_of_openapi_generator(
    tools: Tools,
    document: Path,
    credentials: Callable[[str], dict[str, str]],
    tmp_path: Path,
) -> None:
    words = ("generate", "-g", "python", "-i", document, "-o", tmp_path)
    session = SDK / "openapi_generator_session.py"
    shutil.copy(session, tmp_path)

    tools.run("openapi-generator-cli", *words, "--package-name", "ordermgmt_sdk", cwd=tmp_path)

    for checked in ("ordermgmt_sdk", session.name):  # in the client's own settings
        tools.run("mypy", "--config-file=pyproject.toml", checked, cwd=tmp_path)
    tools.run("python", session.name, cwd=tmp_path, env=credentials("sdk-generator"))


def test_the_client_of_openapi_python_client(
    tools: Tools,
    document: Path,
    credentials: Callable[[str], dict[str, str]],
    tmp_path: Path,
) -> None:
    words = ("generate", "--path", document, "--output-path", tmp_path, "--overwrite")
    session = SDK / "openapi_python_client_session.py"
    shutil.copy(session, tmp_path)

    tools.run("openapi-python-client", *words, "--fail-on-warning", cwd=tmp_path)

    for checked in ("order_management_client", session.name):
        tools.run("mypy", "--config-file=", checked, cwd=tmp_path)
    tools.run("python", session.name, cwd=tmp_path, env=credentials("sdk-python"))


def test_the_types_of_openapi_typescript(
    tools: Tools,
    document: Path,
    credentials: Callable[[str], dict[str, str]],
    tmp_path: Path,
) -> None:
    (tmp_path / "node_modules").symlink_to(tools.node_modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name in ("session.ts", "tsconfig.json"):
        shutil.copy(SDK / name, tmp_path)

    tools.run_npm_tool("openapi-typescript", document, "-o", "schema.d.ts", cwd=tmp_path)

    tools.run_npm_tool("tsc", "--noEmit", "--project", ".", cwd=tmp_path)
    tools.run("node", "session.ts", cwd=tmp_path, env=credentials("sdk-typescript"))
