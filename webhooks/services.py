"""The one door to other systems: promising that they will hear of something, and asking them."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import F, Min
from django.db.models.functions import Extract, Now

from configuration.models import Tenant
from ordermgmt import strict_json
from ordermgmt.database import prepared_sql
from webhooks import external_orders, inspection, oms_health
from webhooks.external_schema import ExternalOrder, ExternalOrderDetail
from webhooks.models import Event

__all__ = [
    "ExternalOrder",
    "ExternalOrderDetail",
    "OutboxEvent",
    "PublishedEvent",
    "external_orders",
    "inspection",
    "oldest_waiting",
    "oms_health",
    "outbox_insert_sql",
    "outbox_rows",
    "publish",
    "published_events",
    "waiting_since",
]


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event about to be published; `version` is that of the timeline row announcing it."""

    tenant_id: int
    subject: UUID
    name: str
    version: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event that was promised, for people who look back."""

    name: str
    version: int
    published_at: dt.datetime


def published_events(
    tenant_id: int, subject: UUID, versions: Collection[int]
) -> list[PublishedEvent]:
    """The events of a subject that these versions of it announced, oldest first."""
    found = Event.objects.filter(tenant=tenant_id, subject=subject, version__in=versions)
    rows = found.order_by("version", "name").values_list("name", "version", "published_at")
    return [PublishedEvent(*row) for row in rows]


def publish(outbox_events: Sequence[OutboxEvent]) -> None:
    """Promise subscribers that they will hear of this, in the caller's transaction.

    If the caller rolls back, nothing was promised. An event's id follows from its subject,
    version and name, so it is the same however often it is delivered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs in the transaction of what it announces.")
    if outbox_events:
        prepared_sql.rows(
            _PUBLISH, {"news": strict_json.dumps(outbox_rows(outbox_events)).decode()}
        )


def outbox_rows(outbox_events: Sequence[OutboxEvent]) -> list[dict[str, Any]]:
    """The rows of the outbox, as `outbox_insert_sql` wants them."""
    return [
        {
            "tenant_id": n.tenant_id,
            "uuid": uuid5(n.subject, f"{n.version}:{n.name}"),
            "name": n.name,
            "subject": n.subject,
            "version": n.version,
            "payload": n.payload,
        }
        for n in outbox_events
    ]


def outbox_insert_sql(parameter: str, *, of: str = "", payload: str = "x.payload") -> str:
    """SQL that inserts the `outbox_rows` news in `parameter`, a JSON array.

    For a statement that announces what it does itself: `of` is the part of it that the news are
    about, and `payload` says how a row `x` takes in what is only known there.
    """
    source = f"{of} CROSS JOIN " if of else ""
    return f"""
INSERT INTO webhooks_event (tenant_id, uuid, name, subject, version, payload, published_at)
SELECT x.tenant_id, x.uuid, x.name, x.subject, x.version, {payload}, statement_timestamp()
  FROM {source}jsonb_to_recordset(%({parameter})s::jsonb) AS x(
    tenant_id bigint, uuid uuid, name text, subject uuid, version integer, payload jsonb)
"""  # noqa: S608  # composed of our own words only


_PUBLISH: Final = f"{outbox_insert_sql('news')} RETURNING id"


def oldest_waiting() -> float:
    """Seconds that the oldest event has waited to be delivered; 0 if none waits."""
    waited = Extract(Now() - F("published_at"), "epoch")
    found = Event.objects.order_by("pk").values_list(waited, flat=True).first()
    return 0.0 if found is None else float(found)


def waiting_since(tenant: Tenant, subjects: Sequence[UUID]) -> dt.datetime | None:
    """When the first event about these was published that waits to be delivered."""
    events = Event.objects.filter(tenant=tenant, subject__in=subjects)
    return events.aggregate(first=Min("published_at"))["first"]
