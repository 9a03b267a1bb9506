"""Tests of the memory and descriptors that reading an answer takes."""

import json
import os
import subprocess
import sys

import pytest

from tests.webhooks.oms import ROOT
from webhooks.fake_oms.modes import MODES

# Modes that one fake OMS can have one after another.
PLAIN = [
    name for name, mode in MODES.items() if mode.reads and mode.listens and not mode.certificate
]


@pytest.fixture
def costs(fake_oms):
    """Return the cost of one request by mode, in a process that made others before."""
    oms = fake_oms("good", "--seconds", "0.2")
    process = subprocess.run(
        [sys.executable, "-m", "tests.webhooks.growing", oms.allowed_host, *PLAIN],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "ordermgmt.settings",
            "EGRESS_ALLOWED_HOSTS": oms.allowed_host,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_no_answer_takes_ten_megabytes_or_leaves_anything_open(costs):
    assert list(costs) == PLAIN
    assert {"200", "answer_broken", "answer_too_large", "timed_out"} <= {
        cost["outcome"] for cost in costs.values()
    }
    assert {mode: cost for mode, cost in costs.items() if cost["grown"] >= 10_000_000} == {}
    assert {mode: cost for mode, cost in costs.items() if cost["files"] != 0} == {}
