"""The statistics of paired measurements."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from bench.compare import ratio_of

ROOT = Path(__file__).resolve().parents[2]


def test_equal_ratios_have_no_interval():
    ratio = ratio_of([1.02] * 10)

    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((1.02, 1.02, 1.02))


def test_the_mean_of_a_ratio_and_its_inverse_is_one():
    assert ratio_of([0.5, 2.0]).mean == pytest.approx(1.0)


def test_the_interval_is_students():
    """Ten values with a standard deviation of s have a half-width of 2.262 s / √10."""
    values = [math.exp(0.01 * sign) for sign in (1, -1) * 5]
    deviation = 0.01 * math.sqrt(10 / 9)

    half = math.log(ratio_of(values).high)

    assert half == pytest.approx(2.262 * deviation / math.sqrt(10), rel=1e-3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--of", "sweep"], "capture, read, history"),
        (["--pairs", "9"], "Fewer than 10 pairs"),
    ],
)
def test_a_comparison_that_says_nothing_is_refused(words: list[str], message: str):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "compare", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert message in done.stdout


@pytest.mark.slow
def test_a_commit_compared_with_itself_answers_every_request():
    words = ["--against", "HEAD", "--of", "read", "--pairs", "10", "--seconds", "0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "compare", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "requests a second, after / before" in done.stdout
    assert "failed" not in done.stdout
