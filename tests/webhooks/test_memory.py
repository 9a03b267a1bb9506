"""However much an answer is, reading it takes little memory and leaves nothing open."""

import json
import os
import subprocess
import sys

import pytest

from tests.webhooks.oms import ROOT
from webhooks.fake_oms.modes import MODES

# All that can follow one another in one fake OMS.
PLAIN = [
    name for name, mode in MODES.items() if mode.reads and mode.listens and not mode.certificate
]


@pytest.fixture
def costs(fake_oms):
    """By mode: what asking it once costs a process that has asked others before."""
    oms = fake_oms("good", "--seconds", "0.2")
    asked = subprocess.run(
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
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_no_answer_takes_ten_megabytes_or_leaves_anything_open(costs):
    assert list(costs) == PLAIN
    assert {"200", "answer_broken", "answer_too_large", "timed_out"} <= {
        cost["outcome"] for cost in costs.values()
    }
    assert {mode: cost for mode, cost in costs.items() if cost["grown"] >= 10_000_000} == {}
    assert {mode: cost for mode, cost in costs.items() if cost["files"] != 0} == {}
