"""A measured server for `./run bench compare`, driven over standard input.

`python -m bench.serve FOLDER ORDERS` serves this checkout from FOLDER, with ORDERS loaded orders,
and prints one JSON line when it is ready. For each scenario name it then reads, it prints one JSON
line: the request to send, with a fresh token in it. It ends with its standard input.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench.__main__ import _use


def main(folder: Path, orders: int) -> None:
    """Serve until standard input ends."""
    _use(folder)
    from rich.console import Console

    from bench import bodies, loading
    from bench.scenarios import ORDERS_EACH, Bench, Options, _customer, _ordinary
    from bench.stage import HOST, stage

    options = Options(seconds=1, connections=(1,), items=3, rounds=1)
    with stage(folder) as ground:
        bench = Bench(ground, options, Console(stderr=True))
        bench._load("loading orders", 0, orders, _ordinary(orders))
        uuids = [str(loading.uuid_of(number)) for number in range(orders)]
        customers = [_customer(number) for number in range(max(1, orders // ORDERS_EACH))]
        detail = f"/v0/orders/{bodies.ORDER}?id_type=internal"
        history = f"/v0/orders?customer_id={bodies.CUSTOMER}&offset=0&count={ORDERS_EACH}"
        scenarios: dict[str, Any] = {
            "capture": (bench._capture_request, {bodies.CUSTOMER: bodies.customers()}),
            "read": (bench._reading(detail), {bodies.ORDER: uuids}),
            "history": (bench._reading(history), {bodies.CUSTOMER: customers}),
        }
        # Not `ground.pids`: this module also runs in commits that have no such property.
        web, database = ground.web.child, ground.postgres.child
        assert web
        assert database
        _print({"web": web.pid, "database": database.pid})
        for line in sys.stdin:
            request, choices = scenarios[line.strip()]
            _print(
                {"host": HOST, "port": ground.port, "request": request(), "choices": choices}
                | {"first": bench._next}
            )


def _print(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
