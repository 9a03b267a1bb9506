"""The written language of the repository: captions, variable names and references."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUESTION = re.compile(r"(What|How|Whether|Who|Whose|Whom|Why|Where|When|Which|So)\b")
# Participles that say nothing of what a variable holds.
PARTICIPLES = frozenset({"asked", "found", "gone", "kept", "made", "said", "shown", "told"})
TEXTS = {".py", ".md", ".html", ".toml", ".yaml", ".in", ".json"}
SECTION_SIGN = chr(0xA7)


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for line in listing.splitlines() if (path := ROOT / line).is_file()]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def variables(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each variable and parameter.

    Members of classes are left out, because they may be names on the wire.
    """
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    members = {
        member.target for one in classes for member in one.body if isinstance(member, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        if node in members:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def questions(path: Path) -> list[str]:
    caption = ast.get_docstring(ast.parse(path.read_text()))
    return [caption] if caption and QUESTION.match(caption) else []


def participles(path: Path) -> list[str]:
    names = variables(ast.parse(path.read_text()))
    return [f"{name_of(path)}:{line} {name}" for line, name in names if name in PARTICIPLES]


def test_captions_are_no_questions() -> None:
    assert [name_of(path) for path in MODULES if questions(path)] == []


def test_variables_are_nouns() -> None:
    assert [place for path in MODULES for place in participles(path)] == []


def test_no_text_refers_to_sections_of_documents_that_are_not_here() -> None:
    texts = (path for path in FILES if path.suffix in TEXTS)

    assert [name_of(path) for path in texts if SECTION_SIGN in path.read_text()] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [('"""What a hold is."""', 1), ('"""Hold rules."""', 0), ("", 0)],
)
def test_a_caption_is_judged(tmp_path: Path, source: str, expected: int) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)

    assert len(questions(path)) == expected


def test_a_parameter_is_judged_like_a_variable() -> None:
    tree = ast.parse("def rename(told):\n    found = told\n")

    assert sorted(name for _, name in variables(tree)) == ["found", "told"]
