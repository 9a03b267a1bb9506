"""Times and query counts of the console's pages, with few orders and with many."""

import http.client
import json
import logging
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django_otp import login as verify
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import loading, population
from bench.measuring import tree_cpu
from bench.report import RESULTS, machine
from bench.stage import HOST, Stage
from configuration.models import Membership, Tenant
from configuration.services import tenants
from ordermgmt.models import SecondFactor
from orders.admin import paging
from orders.models import Item, Order

TENANT: Final = "retailer"
FEW: Final = 1_000
REPETITIONS: Final = 21
ALLOWED: Final = 150.0  # milliseconds, of a page among many
LIST: Final = "/console/orders/order/"


@dataclass(frozen=True)
class Page:
    """One page as it was answered again and again."""

    name: str
    address: str
    orders: int
    p50: float  # milliseconds
    p95: float
    cpu: float  # milliseconds of web and database together: what a busy machine does not change
    queries: int
    size: int  # bytes
    status: int


@dataclass(frozen=True)
class Measured:
    """All pages, among few orders and among many."""

    pages: list[Page]

    def pairs(self) -> Iterator[tuple[Page, Page]]:
        """Each page among few and among many."""
        few, many = (
            {page.name: page for page in self.pages if page.orders == number}
            for number in sorted({page.orders for page in self.pages})
        )
        return ((few[name], many[name]) for name in few)

    @property
    def failures(self) -> list[str]:
        """Return the violated expectations."""
        problems = [f"{p.name}: answered {p.status}" for p in self.pages if p.status != 200]
        for few, many in self.pairs():
            if few.queries != many.queries:
                problems.append(f"{few.name}: {few.queries} queries, among many {many.queries}")
        return problems


def tenant() -> Tenant:
    """Return the retailer that has the loaded orders."""
    tenant = Tenant.objects.filter(slug=TENANT).first() or tenants.create(TENANT)
    population.settle_tenant(tenant)
    return tenant


def load(orders: int, console: Console, *, first: int = 1) -> int:
    """Load this number of orders with a progress bar; return the next number."""
    with Progress(console=console) as progress:
        task = progress.add_task(f"loading {orders:,} orders", total=orders)
        following = population.populate(
            tenant(), orders, first=first, lines=2, advance=lambda n: progress.advance(task, n)
        )
    with console.status("vacuum and analyze"):
        loading.settle()
    return following


def measure(stage: Stage, many: int, console: Console) -> Measured:
    """Every page among 1,000 orders, and again among `many`."""
    logging.disable(logging.INFO)  # requests are made in here, too
    pages, first = [], 1
    retailer = tenant()
    session = sign_in(retailer)
    for number in (FEW, many):
        first = load(number - (first - 1), console, first=first)
        with console.status(f"asking for pages among {number:,}"):
            pages += [_page(stage, session, *named, number) for named in _addresses(retailer)]
    return Measured(pages)


def sign_in(tenant: Tenant) -> str:
    """Return the session key of a user with all permissions of the tenant."""
    user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    user.groups.set(Group.objects.filter(name="admin"))
    Membership.objects.get_or_create(user=user, tenant=tenant)
    phone, _ = SecondFactor.objects.get_or_create(user=user, name="bench", confirmed=True)
    request: Any = SimpleNamespace(session=SessionStore(), user=user, META={}, method="POST")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    verify(request, phone)
    now = int(time.time())
    request.session.update({"since": now, "seen": now})
    request.session.save()
    return str(request.session.session_key)


def _addresses(retailer: Tenant) -> Iterator[tuple[str, str]]:
    """Each page, with names and places that are there among few and among many."""
    own = Order.objects.filter(tenant=retailer)
    newest = own.latest("placed_at", "pk")
    oldest = own.earliest("placed_at", "pk")
    serial = Item.objects.filter(tenant=retailer).exclude(serial_number="").first()
    middle = own.filter(placed_at__lte=oldest.placed_at + (newest.placed_at - oldest.placed_at) / 2)
    cursor = paging.cursor_of(middle.latest("placed_at", "pk"))
    bought = Item.objects.filter(tenant=retailer, order__channel_type="web").latest("pk")
    queries: dict[str, dict[str, Any]] = {
        "list": {},
        "list, from the middle on": {"after": str(cursor)},
        "list, newer than the middle": {"before": str(cursor)},
        "open": {"status": "open"},
        "closed": {"status": "closed"},
        "failed (none)": {"status": "failed"},
        "in grace": {"hold": "grace"},
        "waiting for approval": {"hold": "big_order"},
        "held by support": {"hold": "support"},
        "grace ends within the hour": {"due": "yes"},
        "conflicts": {"conflict": "yes"},
        "a month": {"placed": f"{oldest.placed_at:%Y-%m}"},
        "web": {"channel": "web"},
        "a store": {"store": "NY5AVE"},
        "a store nobody bought in": {"store": "NO_LOCATION"},
        "a location": {"location": "DC-EAST"},
        "at least 20 units": {"units": 20},
        "handed over (none)": {"external": "yes"},
        # A single hit opens the order's own page, so a filter keeps the list.
        "search: e-mail": {"q": newest.customer_email, "channel": "web"},
        "search: the product everybody buys": {"q": "SKU-00000"},
        "search: a product": {"q": bought.product_id, "channel": "web"},
        "search: nothing": {"q": "nothing is called that"},
        "search: nothing, like an e-mail": {"q": "nobody@example.org"},
    }
    yield "dashboard", "/console/"
    for name, query in queries.items():
        yield name, f"{LIST}?{urlencode(query)}"
    yield "an order", f"{LIST}{oldest.pk}/change/"
    if serial is not None:
        yield "an order with serials", f"{LIST}{serial.order_id}/change/"


def _page(stage: Stage, session: str, name: str, address: str, orders: int) -> Page:
    status, body = _get(stage, session, address)  # warms up
    times = []
    before = _cpu(stage)
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        status, body = _get(stage, session, address)
        times.append((time.perf_counter() - started) * 1000)
    cpu = (_cpu(stage) - before) * 1000 / REPETITIONS
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    queries = _queries(session, address)
    return Page(name, address, orders, p50, p95, cpu, queries, len(body), status)


def _cpu(stage: Stage) -> float:
    return sum(tree_cpu(pid) for pid in stage.pids.values())


def _get(stage: Stage, session: str, address: str) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(HOST, stage.port, timeout=30)
    try:
        line.request("GET", address, headers={"Cookie": _cookie(session)})
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def _queries(session: str, address: str) -> int:
    browser = Browser(headers={"Host": HOST, "Cookie": _cookie(session)})
    with CaptureQueriesContext(connection) as captured:
        browser.get(address)
    return len(captured)


def _cookie(session: str) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={session}"


def show(console: Console, measured: Measured) -> None:
    """Print a table with each page among few and among many orders."""
    table = Table(title="console", title_justify="left", title_style="bold")
    for name in ("page", "few p50 ms", "many p50 ms", "p95 ms", "ratio", "CPU ms", "queries", "kB"):
        table.add_column(name, justify="left" if name == "page" else "right")
    for few, many in measured.pairs():
        sign = "" if many.p50 <= ALLOWED else " [red]✗[/red]"
        table.add_row(
            many.name + sign,
            f"{few.p50:.0f}",
            f"{many.p50:.0f}",
            f"{many.p95:.0f}",
            f"{many.p50 / few.p50:.2f}",
            f"{few.cpu:.0f} → {many.cpu:.0f}",
            f"{few.queries} → {many.queries}" if few.queries != many.queries else f"{many.queries}",
            f"{many.size / 1000:.0f}",
        )
    console.print(table)
    for failure in measured.failures:
        console.print(f"[red]failed[/red] {failure}")


def save(measured: Measured) -> tuple[dict[str, Any], list[Path]]:
    """Write JSON and plot; what was written, and where to."""
    RESULTS.mkdir(exist_ok=True)
    facts = {
        "name": "console",
        "machine": machine(),
        "allowed_ms": ALLOWED,
        "pages": [asdict(page) for page in measured.pages],
        "failures": measured.failures,
    }
    path = RESULTS / f"console-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps(facts, indent=2))
    _plot(measured, path.with_suffix(".png"))
    return facts, [path, path.with_suffix(".png")]


def _plot(measured: Measured, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    pairs = list(measured.pairs())[::-1]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(pairs) + 1.5), layout="constrained")
    places = range(len(pairs))
    for offset, which, color in ((0.2, 0, "#9db7d5"), (-0.2, 1, "#1f5fa8")):
        pages = [pair[which] for pair in pairs]
        axes.barh(
            [place + offset for place in places],
            [page.p50 for page in pages],
            height=0.38,
            color=color,
            label=f"among {pages[0].orders:,} orders",
        )
    axes.axvline(ALLOWED, color="gray", linestyle="--", label=f"{ALLOWED:.0f} ms")
    axes.set_yticks(list(places), [pair[0].name for pair in pairs])
    axes.set(xlabel="milliseconds, median", title="The console's pages")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)
