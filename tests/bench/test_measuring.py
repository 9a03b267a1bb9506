"""The arithmetic from measured values to the printed table."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bench.judging import Row, growth_aims, rate_aim, ratio_aim
from bench.measuring import Measured, best, percentile, pooled, tree_cpu
from bench.pgbench import Yardstick


def measured(rate: float = 100.0, *, connections: int = 8, p50: float = 1.0, **failures: int):
    return Measured(connections, rate, p50, 2.0, 3.0, 10, failures, "", 1.0, 0.5, 0.03)


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1, 100)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, value: int):
    assert percentile(list(range(1, 101)), share) == value


def test_a_percentile_of_few_values_is_the_nearest_above():
    assert percentile([10, 20, 30], 0.5) == 20
    assert percentile([10], 0.99) == 10
    assert percentile([], 0.5) == 0


def test_the_fastest_round_counts_but_the_failures_of_all_do():
    rounds = [measured(90, **{"500": 2}), measured(120), measured(80, **{"500": 1, "409": 1})]

    assert best(rounds) == replace(measured(120, **{"500": 3, "409": 1}), slowest=80)


def test_pooled_rounds_are_averaged_but_requests_and_failures_summed():
    rounds = [measured(90, p50=1.0, **{"500": 2}), measured(120, p50=2.0, **{"500": 1})]

    assert pooled(rounds) == replace(measured(105, p50=1.5, **{"500": 3}), requests=20, slowest=90)


def test_the_ratio_is_our_rate_as_a_share_of_the_yardsticks():
    assert Row("x", measured(150), Yardstick(600, 0.3)).ratio == 0.25
    assert Row("x", measured(150)).ratio is None


@pytest.mark.parametrize(("rate", "is_met"), [(699, False), (700, True)])
def test_rates_are_judged_at_eight_connections(rate: float, is_met: bool):
    rows = [Row("x", measured(5000, connections=1)), Row("x", measured(rate))]

    assert [aim.is_met for aim in rate_aim(rows, 700)] == [is_met]


@pytest.mark.parametrize(("rate", "is_met"), [(149, False), (150, True)])
def test_ratios_are_judged_at_eight_connections(rate: float, is_met: bool):
    rows = [Row("x", measured(rate), Yardstick(1000, 0.1))]

    assert [aim.is_met for aim in ratio_aim(rows, 0.15)] == [is_met]


def test_growth_compares_the_same_customer_where_nobody_queues():
    rows = [
        Row("page of 1,000", measured(p50=9.0, connections=32)),
        Row("page of 10", measured(p50=1.0)),
        Row("page of 1,000", measured(p50=1.3)),
        Row("other of 10", measured(p50=1.0)),
        Row("other of 1,000", measured(p50=1.4)),
    ]

    aims = list(growth_aims(rows, ["page", "other"], 10, 1000))

    assert [(aim.seen, aim.is_met) for aim in aims] == [(1.3, True), (1.4, False)]


def test_the_processor_time_of_a_tree_includes_children_dead_and_alive():
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    tree = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {burn!r}])
subprocess.run([sys.executable, "-c", {burn + "print(flush=True); input()"!r}])
"""
    with subprocess.Popen(
        [sys.executable, "-c", tree], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()  # one child is gone, the other waits for us
        used = tree_cpu(process.pid)
        process.communicate(b"\n")

    assert 0.58 <= used < 5
