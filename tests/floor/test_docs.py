"""The generated pages are complete, reproducible and checked against the code."""

import ast
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import (
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)

from configuration.keys import KEYS
from ordermgmt.http.scopes import SCOPES
from ordermgmt.launcher.welcome import capture_line
from orders.lifecycle import TRANSITIONS, ItemStatus, OrderStatus
from orders.management.commands.docs import stale, write
from orders.management.pages import PAGES, render_all
from orders.management.pages.lifecycle import lifecycle
from orders.management.pages.modules import PACKAGES, first_line, sources
from orders.management.pages.settings import variables

ROOT: Path = settings.BASE_DIR
# What the launcher and the web server read before there are settings, or set for each other.
NOT_FOR_OPERATORS = {
    "DJANGO_SETTINGS_MODULE",
    "ORDERMGMT_SUPERVISED",
    "PROMETHEUS_MULTIPROC_DIR",
}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return render_all()


def test_every_page_is_the_same_twice(pages: dict[str, str]) -> None:
    assert render_all() == pages


def test_pages_depend_on_no_terminal(
    pages: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    assert render_all() == pages


class TestCheck:
    def test_is_content_with_what_was_just_written(self, tmp_path: Path) -> None:
        call_command("docs", folder=tmp_path, stdout=io.StringIO())

        call_command("docs", "--check", folder=tmp_path)

        assert {path.name for path in tmp_path.iterdir()} == set(PAGES)

    def test_names_what_is_stale_missing_or_left_over_and_writes_nothing(
        self, tmp_path: Path, pages: dict[str, str]
    ) -> None:
        write(tmp_path, pages)
        (tmp_path / "map.md").write_text("as it was")
        (tmp_path / "scopes.md").unlink()
        (tmp_path / "former.md").touch()

        with pytest.raises(CommandError, match=r"Stale: former\.md, map\.md, scopes\.md\."):
            call_command("docs", "--check", folder=tmp_path)

        assert stale(tmp_path, pages) == ["former.md", "map.md", "scopes.md"]


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in sources(*PACKAGES) if not first_line(path)]

    assert silent == []


def test_a_modules_sentence_is_read_whole_and_its_details_are_not(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""One sentence\nover two lines.\n\nAnd details."""\n')

    assert first_line(module) == "One sentence over two lines."


class TestSettings:
    def test_are_all_in_the_example(self) -> None:
        assert _read_by_settings() - {v.name for v in variables()} == set()

    def test_of_the_launcher_are_there_too(self) -> None:
        read = set[str]()
        for path in sources(*PACKAGES):
            names = re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', (ROOT / path).read_text())
            read |= set(names)

        assert read - {v.name for v in variables()} - NOT_FOR_OPERATORS == set()

    def test_of_the_example_all_exist(self) -> None:
        source = "".join((ROOT / path).read_text() for path in sources("ordermgmt"))
        unread = [v.name for v in variables() if not re.search(f"[\"']{v.name}[\"']", source)]

        assert unread == []

    def test_are_found_in_sections_with_their_comments(self) -> None:
        by_name = {v.name: v for v in variables()}

        assert by_name["MAX_BODY_SIZE"].section == "The web"
        assert by_name["MAX_BODY_SIZE"].text == "Bytes a request body may have."
        assert by_name["MAX_BODY_SIZE"].example == "10000000"


def _read_by_settings() -> set[str]:
    """The first argument of every `env.<kind>("NAME", …)`."""
    calls = (
        node
        for node in ast.walk(ast.parse((ROOT / "ordermgmt" / "settings.py").read_text()))
        if isinstance(node, ast.Call) and _is_env(node.func)
    )
    names: list[Any] = [call.args[0] for call in calls]
    return {name.value for name in names if isinstance(name, ast.Constant)}


def _is_env(function: ast.expr) -> bool:
    """Return whether it is a method of `env` that reads a variable."""
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "env"
        and function.attr not in ("read_env", "db_url_config")
    )


def test_every_transition_is_drawn() -> None:
    page = lifecycle()

    for transition in TRANSITIONS:
        for source in transition.sources:
            assert re.search(
                rf"^    {source} --> {transition.target}: .*\b{transition.verb}\b", page, re.M
            )
    assert all(f"`{status.value}`" in page for status in [*ItemStatus, *OrderStatus])


def test_every_key_and_every_scope_has_its_place(pages: dict[str, str]) -> None:
    assert re.findall(r"^## (.+)$", pages["configuration.md"], re.M) == list(KEYS)
    assert re.findall(r"^\| `(.+?)` \|", pages["scopes.md"], re.M) == list(SCOPES)


def test_a_scope_names_the_operations_that_need_it(pages: dict[str, str]) -> None:
    row = next(line for line in pages["scopes.md"].splitlines() if "`orders:read`" in line)

    assert "`GET /v0/orders`, `GET /v0/orders/{id}`" in row


def test_refusals_of_every_app_are_listed_with_status_and_kind(pages: dict[str, str]) -> None:
    page = pages["errors.md"]

    for row in (
        "| 409 | `conflict` | `Conflict` | `orders.services.capture.identity.CaptureConflict` |",
        "| 404 | `tenant_not_found` | `NotFound` | `configuration.services.tenants.TenantNotFound`",
        "| 403 | `insufficient_scope` | `Forbidden` | `ordermgmt.http.api.InsufficientScope` |",
    ):
        assert row in page
    assert "`tests." not in page  # refusals that tests declare for themselves are none of ours


def test_commands_show_what_must_be_given_and_what_may_be(pages: dict[str, str]) -> None:
    assert (
        "./run manage client create --tenant SLUG --name NAME [--scopes SCOPES] [--json]"
        in pages["commands.md"]
    )


def _written() -> list[Path]:
    """The pages people wrote, and those we did."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def _shell_lines() -> list[str]:
    """Every line of every block of shell; a line may go on after a backslash."""
    blocks = [
        block
        for page in _written()
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
    ]
    return [line for block in blocks for line in block.replace("\\\n", "").splitlines()]


def test_links_between_the_written_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in _written()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_the_first_order_is_the_one_up_prints() -> None:
    line = capture_line(
        "http://127.0.0.1:8000", {"tenant": "demo", "client_id": "$ID", "client_secret": "$SECRET"}
    )

    assert line.replace("; curl", "\ncurl") in (ROOT / "README.md").read_text()


def test_commands_that_are_printed_can_be_typed() -> None:
    lines = [line for line in _shell_lines() if line.startswith("./run manage ")]
    for line in lines:
        name, *words = shlex.split(line, comments=True)[2:]
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(words)

    assert len(lines) > 20


def test_words_after_run_are_commands_of_it() -> None:
    help = (ROOT / "run").read_text().partition("TEXT'")[2].partition("\nTEXT")[0]
    commands = re.findall(r"^  ([a-z]+) ", help, re.M)
    text = "\n".join(page.read_text() for page in _written())
    used = re.findall(r"(?:^|`)\./run (\w+)", text, re.M)

    assert len(commands) > 5
    assert set(used) - set(commands) - {"COMMAND"} == set()


def test_the_readme_names_settings_that_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "docs" / "operators.md"]
    used = {n for p in pages for n in re.findall(r"^\| `([A-Z_]+)` \|", p.read_text(), re.M)}

    assert used - {v.name for v in variables()} - NOT_FOR_OPERATORS == set()


def test_the_operators_page_lists_every_scheduled_job() -> None:
    seconds = {"s": 1, "min": 60, "h": 3600}
    rows = re.findall(
        r"^\| (\d+) (\w+) \| `([a-z_.]+)` \|",
        (ROOT / "docs" / "operators.md").read_text(),
        re.M,
    )
    listed = {task: int(number) * seconds[unit] for number, unit, task in rows}

    assert listed == {
        job["task"]: job["schedule"] for job in settings.CELERY_BEAT_SCHEDULE.values()
    }


def test_files_that_are_named_exist() -> None:
    paths = r"\b((?:ordermgmt|configuration|webhooks|orders|tests|bench|requirements)/[\w/]+\.\w+)"
    missing = {
        f"{page.relative_to(ROOT)}: {path}"
        for page in _written()
        for path in re.findall(paths, page.read_text())
        if path.endswith((".py", ".in", ".lock")) and not (ROOT / path).exists()
    }

    assert missing == set()
