"""The command `./run bench`, from the command line to the files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["capture", "read", "history", "sweep", "life", "federation"])
def test_a_scenario_measures_and_saves_what_it_saw(scenario: str):
    words = ["--seconds", "0.5", "--connections", "2", "--rounds", "1", "--orders", "1500"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", scenario, "--json", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["machine"]["database"]["fsync"] == "on"
    for row in result["rows"]:
        measured = row["measured"]
        assert measured["requests"] > 0
        assert measured["failures"] == {}
        assert 0 < measured["p50"] <= measured["p95"] <= measured["p99"]
        assert measured["app_cpu"] > 0
    if scenario not in {"history", "life", "federation"}:  # which have no yardstick
        assert all(row["ratio"] > 0 for row in result["rows"])
    saved = [line.strip() for line in done.stderr.splitlines() if "bench/results/" in line]
    assert len(saved) == 2
    assert json.loads(Path(saved[0]).read_text()) == result
    assert Path(saved[1]).read_bytes().startswith(b"\x89PNG")
    for path in saved:
        Path(path).unlink()


def test_a_folder_with_data_is_not_measured_in(tmp_path: Path):
    (tmp_path / "postgres").mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "bench", "read", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "has data already" in done.stdout


@pytest.mark.slow
def test_the_consoles_pages_are_timed_among_few_and_among_more():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "console", "--json", "--orders", "1500"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["failures"] == []
    assert {page["orders"] for page in result["pages"]} == {1000, 1500}
    for page in result["pages"]:
        assert page["status"] == 200
        assert 0 < page["p50"] <= page["p95"]
        assert page["cpu"] > 0
        assert page["queries"] > 3
    saved = [line.strip() for line in done.stderr.splitlines() if "bench/results/" in line]
    assert json.loads(Path(saved[0]).read_text()) == result
    assert Path(saved[1]).read_bytes().startswith(b"\x89PNG")


def test_a_year_is_not_loaded_into_a_folder_that_is_thrown_away():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "load", "--orders", "10"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "--data-dir" in done.stdout
