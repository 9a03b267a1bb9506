"""Beat sends due tasks even when the clock jumps."""

import datetime as dt
import os
import subprocess
import sys

import pytest
import time_machine
from celery import Celery
from django.conf import settings
from django.utils.module_loading import import_string

from ordermgmt.launcher.embedded import ROOT

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
REAL_BEAT = """
import datetime as dt, os, sys, threading, time
import time_machine
from celery import beat
from ordermgmt.celery import app
from ordermgmt.launcher.beat import Scheduler

class Printing(Scheduler):
    def apply_async(self, entry, *args, **options):
        print(entry.task, flush=True)

app.conf.broker_url = "memory://"
app.conf.beat_schedule = {"often": {"task": "often", "schedule": 0.5}}
app.conf.beat_max_loop_interval = 0.2
service = beat.Service(app, scheduler_cls=Printing)
threading.Thread(target=service.start, kwargs={"embedded_process": True}, daemon=True).start()
time.sleep(2)
now = dt.datetime.now(dt.UTC)
traveller = time_machine.travel(now - dt.timedelta(hours=1), tick=True)
traveller.start()
print("set back", flush=True)
time.sleep(3)
os._exit(0)
"""


class Recorded:
    """The scheduler that settings name, with one task a minute, which is noted when it is sent."""

    def __init__(self) -> None:
        app = Celery("test", set_as_current=False)
        app.conf.broker_url = "memory://"
        app.conf.beat_schedule = {"one": {"task": "one", "schedule": 60.0}}
        self.sent: list[str] = []
        kind = import_string(settings.CELERY_BEAT_SCHEDULER.replace(":", "."))
        self.scheduler = kind(app, lazy=False)
        self.scheduler.apply_async = lambda entry, **_: self.sent.append(entry.task)

    def tick(self) -> float:
        seconds: float = self.scheduler.tick()
        return seconds


@pytest.mark.parametrize("step", [dt.timedelta(hours=1), dt.timedelta(days=400)])
def test_a_clock_that_was_set_back_stops_nothing(step: dt.timedelta) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        beat = Recorded()
        clock.shift(60)
        beat.tick()
        assert beat.sent == ["one"]

        clock.shift(-step)
        beat.tick()
        assert beat.sent == ["one"] * 2

        beat.tick()
        assert beat.sent == ["one"] * 2
        clock.shift(60)
        beat.tick()
        assert beat.sent == ["one"] * 3


def test_a_clock_that_is_set_forward_sends_once() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        beat = Recorded()
        clock.shift(dt.timedelta(days=1))

        for _ in range(3):
            beat.tick()

        assert beat.sent == ["one"]


def test_a_beat_that_runs_goes_on_when_the_clock_is_set_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REAL_BEAT],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "ordermgmt.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    before, _, after = done.stdout.partition("set back")
    assert before.count("often") >= 1, done.stderr
    assert after.count("often") >= 2, done.stderr
