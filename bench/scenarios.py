"""The scenarios: capture, detail, a customer's history, the sweep, and a mixed load."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import bodies, federation, loading, pgbench, sweeping
from bench import life as lives
from bench.client import COUNTER, Plan
from bench.judging import JUDGED_AT, Result, Row, growth_aims, rate_aim, ratio_aim
from bench.measuring import Measured, best, measure
from bench.pgbench import Script
from bench.stage import HOST, TENANT, Stage

TO_READ: Final = 10_000  # orders among which detail chooses
ORDERS_EACH: Final = 10  # of an ordinary customer
FEW, MANY = 1_000, 100_000
MOST_DUE: Final = 10_000  # orders that come due at once
EVERYTHING: Final = "9000000000"  # the customer who owns everything
OWNED_FROM: Final = 500_000_000  # the numbers of the orders of the one who owns everything


@dataclass(frozen=True)
class Options:
    """The extent of a measurement."""

    seconds: float
    connections: tuple[int, ...]
    items: int
    rounds: int
    few: int = FEW
    many: int = MANY
    to_read: int = TO_READ


class Bench:
    """One stage, and the scenarios on it."""

    def __init__(self, stage: Stage, options: Options, console: Console) -> None:
        self._stage, self._options, self._console = stage, options, console
        self._next = 1  # external ids are never used twice

    def capture(self) -> Result:
        """Captures of new orders, beside pgbench inserting the same rows.

        Among some that are there: of new tables PostgreSQL knows nothing until autovacuum has seen
        them, and until then both read the whole of them again and again.
        """
        self._load("loading orders to have some", 0, FEW, _ordinary(FEW))
        script = pgbench.writing(self._sample())
        request = self._capture_request
        rows = self._compare("capture", request, {bodies.CUSTOMER: bodies.customers()}, script)
        return Result("capture", rows, [*rate_aim(rows, 700), *ratio_aim(rows, 0.15)])

    def read(self) -> Result:
        """Details of loaded orders, beside pgbench with the same two statements."""
        number = self._options.to_read
        self._load("loading orders to read", 0, number, _ordinary(number))
        script = pgbench.reading(self._stage.tenant.pk, orders=number)
        uuids = [str(loading.uuid_of(n)) for n in range(number)]
        path = f"/v0/orders/{bodies.ORDER}?id_type=internal"
        rows = self._compare("detail", self._reading(path), {bodies.ORDER: uuids}, script)
        return Result("read", rows, rate_aim(rows, 1500))

    def history(self) -> Result:
        """Measure a customer's first page in a small and a large installation, v2, ten orders."""
        few, many = self._options.few, self._options.many
        ordinary, everything = "history, ordinary customer", "history, owner of all"
        rows = []
        have = 0
        for size in (few, many):
            more, text = size - have, f"loading {size - have:,} orders, and as many of one owner"
            self._load(text, have, more, _ordinary(more, after=have // ORDERS_EACH))
            self._load(text, OWNED_FROM + have, more, lambda _: EVERYTHING)
            have = size
            path = f"/v0/orders?customer_id={bodies.CUSTOMER}&offset=0&count={ORDERS_EACH}"
            request = self._reading(path)
            customers = [_customer(n) for n in range(size // ORDERS_EACH)]
            for what, who in ((ordinary, customers), (everything, [EVERYTHING])):
                rows += self._compare(f"{what} of {size:,}", request, {bodies.CUSTOMER: who})
        return Result("history", rows, list(growth_aims(rows, (ordinary, everything), few, many)))

    def sweep(self) -> Result:
        """Orders that are due, released by two processes, beside plain SQL writing the same."""
        number = min(self._options.many, MOST_DUE)

        def load(first: int, count: int) -> None:
            self._load("loading orders that wait", first, count, _ordinary(count))

        return sweeping.sweep(self._stage, number, load)

    def life(self) -> Result:
        """Captures while due orders are released by a worker on the clock, beside quiet ones."""
        number = min(self._options.many, MOST_DUE)
        self._load("loading orders that wait", 0, number, _ordinary(number))

        def capture() -> Measured:
            with self._console.status("capturing"):
                customers = {bodies.CUSTOMER: bodies.customers()}
                return self._measure(self._capture_request(), JUDGED_AT, customers)

        return lives.life(self._stage, number, capture, self._options.rounds)

    def federation(self) -> Result:
        """Details, beside another tenant's readers of an external OMS that takes 24 seconds."""
        number = self._options.few
        self._load("loading orders to read", 0, number, _ordinary(number))
        uuids = [str(loading.uuid_of(n)) for n in range(number)]
        request = self._reading(f"/v0/orders/{bodies.ORDER}?id_type=internal")

        def measured(connections: int) -> Measured:
            with self._console.status(f"details, {connections} connections"):
                return self._measure(request(), connections, {bodies.ORDER: uuids})

        return federation.federation(self._stage, measured, self._options.connections)

    def _compare(
        self,
        what: str,
        request: Callable[[], str],
        choices: dict[str, list[str]],
        script: Script | None = None,
    ) -> list[Row]:
        """Measure on every number of connections, in turn with the yardstick; the best of each."""
        rows = []
        for connections in self._options.connections:
            yardsticks, measurements = [], []
            for n in range(self._options.rounds):
                label = f"{what}, {connections} connections, round {n + 1}"
                if script:
                    with self._console.status(f"{label}: pgbench"):
                        yardsticks.append(
                            script.run(
                                self._stage,
                                connections=connections,
                                seconds=self._options.seconds,
                            )
                        )
                with self._console.status(label):
                    measurements.append(self._measure(request(), connections, choices))
            fastest = max(yardsticks, key=lambda each: each.rate, default=None)
            rows.append(Row(what, best(measurements), fastest))
        return rows

    def _measure(self, request: str, connections: int, choices: dict[str, list[str]]) -> Measured:
        plan = Plan(
            host=HOST,
            port=self._stage.port,
            request=request,
            connections=connections,
            seconds=self._options.seconds,
            first=self._next,
            choices=choices,
        )
        measured, self._next = measure(plan, **self._stage.pids)
        return measured

    def _capture_request(self) -> str:
        return bodies.capture_request(
            items=self._options.items,
            tenant=TENANT,
            token=self._stage.token(),
            host=self._stage.host,
        )

    def _reading(self, path: str) -> Callable[[], str]:
        """Return the request of a read, each time with a fresh token because tokens expire."""
        stage = self._stage
        return lambda: bodies.read_request(path, token=stage.token(), host=stage.host)

    def _sample(self) -> UUID:
        """Capture an order over HTTP as the model of copies and yardstick."""
        request = self._capture_request().replace(COUNTER, f"{self._next:09}")
        self._next += 1
        answer = self._stage.ask(request.replace(bodies.CUSTOMER, bodies.customers()[0]))
        return UUID(answer["origin_id"])

    def _load(self, text: str, first: int, count: int, customer: Callable[[int], str]) -> None:
        sample = self._sample()
        with _progress(self._console, text, count) as advance:
            loading.load(
                self._stage.tenant,
                sample,
                first=first,
                count=count,
                customer=customer,
                advance=advance,
            )
        loading.settle()


def _customer(number: int) -> str:
    return f"8{number:09}"


def _ordinary(orders: int, *, after: int = 0) -> Callable[[int], str]:
    """Customers with ten orders each that do not lie together, from the customer `after` on."""
    number = max(1, orders // ORDERS_EACH)
    return lambda order: _customer(after + order % number)


@contextmanager
def _progress(console: Console, text: str, total: int) -> Iterator[Callable[[int], object]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(text, total=total)
        yield lambda orders: progress.advance(task, orders)
