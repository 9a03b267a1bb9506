"""Processes that capture at the same moment: started once, then given one race after another."""

import multiprocessing
from collections.abc import Sequence

from tests.orders.racer import PATIENCE, Job, run

Answers = list[tuple[int, str]]


class Racers:
    """Some processes of their own, ready to race on a test database."""

    def __init__(self, number: int, database: str) -> None:
        # The application is loaded once, before there are threads or connections, then forked.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.orders.racer_preloaded"])
        self._lines = []
        self._processes = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=run, args=(theirs, database), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def race(
        self,
        headers: dict[str, str],
        rounds: Sequence[Sequence[Sequence[str]]],
        *,
        meet: str = "before writing",
    ) -> list[Answers]:
        """For each round, what all callers were answered.

        A round has the bodies of each process, one a thread. `meet` says where the threads of a
        process wait for each other, so that none is through before another is there.
        """
        for n, line in enumerate(self._lines):
            line.send(Job(headers, [bodies[n] for bodies in rounds], meet))
        self._hear()  # all threads have connections
        for line in self._lines:
            line.send("go")
        of_each = self._hear()
        return [
            [answer for results in of_each for answer in results[n]] for n in range(len(rounds))
        ]

    def _hear(self) -> list:
        for line in self._lines:
            assert line.poll(2 * PATIENCE), "A racer says nothing."
        return [line.recv() for line in self._lines]

    def stop(self) -> None:
        for line in self._lines:
            line.close()  # which is how a racer knows
        for process in self._processes:
            process.join(PATIENCE)
            assert process.exitcode == 0
