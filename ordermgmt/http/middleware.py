"""The request middleware: request id, plain address, security headers, log line, metrics."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import get_path_info
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from prometheus_client import Counter, Histogram

from ordermgmt.http import problems
from ordermgmt.monitoring.logging import REQUEST_ID, request_id

REQUESTS: Final = Counter(
    "ordermgmt_http_requests_total", "Requests answered.", ["method", "route", "status"]
)
SECONDS: Final = Histogram(
    "ordermgmt_http_request_seconds",
    "Time to answer, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

# Defaults; a response may set its own.
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
# Probes call us by address, so their Host header is not checked.
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID: Final = re.compile(REQUEST_ID)
_SLASHES: Final = re.compile("//+")
_PARAMETER: Final = re.compile("[<(]")  # where one begins in a route

log = structlog.get_logger("ordermgmt.request")


class RequestMiddleware:
    """One middleware for all concerns, because each further one costs every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.hsts = (
            f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
            if settings.SECURE_HSTS_SECONDS
            else ""
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        current = _id_of(request)
        token = request_id.set(current)
        try:
            response = _refusal(request) or self.get_response(request)
            _dress(response, current)
            if self.hsts and request.is_secure():
                response.headers.setdefault("Strict-Transport-Security", self.hsts)
            _account(request, response, time.perf_counter() - started)
        finally:
            request_id.reset(token)
        return response


def _id_of(request: HttpRequest) -> str:
    """Return the caller's id for this request if it is well formed, otherwise a new one."""
    meta = request.META
    value = meta.get("HTTP_REQUEST_ID") or meta.get("HTTP_X_REQUEST_ID") or ""
    return value if _REQUEST_ID.fullmatch(value) else uuid.uuid4().hex


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of a request that no view should see, or normalize its path."""
    path = request.path_info
    if "\0" in path:
        return problems.of_status(400, "The address holds a NUL.").response()
    if "//" in path or (path[-1] == "/" and path != "/"):
        plain = _plain(path, _raw_path(request))
        if plain != path:
            request.path = request.path.removesuffix(path) + plain
            request.path_info = plain
    if path not in PROBES:
        try:
            request.get_host()
        except DisallowedHost:
            return problems.of_status(400, "This host is not served here.").response()
    return None


def _raw_path(request: HttpRequest) -> str | None:
    """Return the percent-encoded path of the request line; None when the server has none.

    A raw path that does not decode to the served path is ignored.
    """
    meta = request.META
    raw = str(meta.get("REQUEST_URI") or meta.get("RAW_URI") or "").partition("?")[0]
    if raw and not raw.startswith("/"):  # the absolute form, as proxies send it
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    raw = raw.removeprefix(str(meta.get("SCRIPT_NAME") or ""))
    return raw if raw and _decoded(raw) == request.path_info else None


def _decoded(path: str) -> str:
    raw = unquote_to_bytes(path.encode("latin-1", "replace"))  # as WSGI has bytes in texts
    text: str = get_path_info({"PATH_INFO": raw.decode("latin-1")})
    return text


def _plain(path: str, raw: str | None) -> str:
    """Return the path with single slashes and without one at its end, as our routes have it.

    Order ids may hold a slash, sent as `%2F`. Only the raw path tells those from the separators,
    so only it is made plain. Where there is none, no slash that may belong to an id is touched:
    only what comes before an id, and the end of a path that ends in a word of ours.
    """
    if raw is None:
        path = _plain_head(path)
        shorter = path[:-1] if path[-1] == "/" and not path.endswith("//") else path
        match = _match(shorter)
        is_literal = match is not None and not match.route.endswith(">")
        return shorter if is_literal and not _has_slash(path) else path
    raw = _SLASHES.sub("/", raw)
    path = _decoded(raw)
    return path if raw[-1] != "/" or _has_slash(path) else _decoded(raw[:-1] or "/")


def _plain_head(path: str) -> str:
    """Return the path with single slashes up to its first parameter, but not right before it."""
    match = _match(_SLASHES.sub("/", path))
    head = _PARAMETER.split(match.route)[0].rstrip("/") if match else ""
    start = re.match("/+" + "/+".join(map(re.escape, head.split("/"))), path) if head else None
    return f"/{head}{path[start.end() :]}" if start else path


def _has_slash(path: str) -> bool:
    """Return whether the route of this path ends with a slash itself."""
    match = _match(path)
    return match is not None and match.route.endswith("/")


def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _dress(response: HttpResponseBase, current: str) -> None:
    headers = response.headers
    headers["Request-Id"] = current
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if isinstance(response, HttpResponse) and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(response.content))


def _account(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Log one line and count; never log a query, a body, a header or a token."""
    match = request.resolver_match
    route = f"/{match.route}" if match else "unmatched"
    method = request.method if request.method in _METHODS else "OTHER"
    status = response.status_code
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(route).observe(seconds)
    if route in PROBES and status < 400:
        return
    log.info("request", method=method, route=route, status=status, **_caller(request, seconds))


def _caller(request: HttpRequest, seconds: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"ms": round(seconds * 1000, 2)}
    client: Any = getattr(request, "user", None)
    if tenant := getattr(client, "tenant", None):
        facts |= {"tenant": tenant.slug, "client": client.actor}
    return facts
