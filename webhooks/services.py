"""Entry point to other systems: outbox events and external OMS."""

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
    """An event to publish; `version` is the version of the timeline entry that announces it."""

    tenant_id: int
    subject: UUID
    name: str
    version: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event in the outbox, for the timeline."""

    name: str
    version: int
    published_at: dt.datetime


def published_events(
    tenant_id: int, subject: UUID, versions: Collection[int]
) -> list[PublishedEvent]:
    """Return the events of a subject with these versions, oldest first."""
    events = Event.objects.filter(tenant=tenant_id, subject=subject, version__in=versions)
    rows = events.order_by("version", "name").values_list("name", "version", "published_at")
    return [PublishedEvent(*row) for row in rows]


def publish(outbox_events: Sequence[OutboxEvent]) -> None:
    """Insert events into the outbox, in the caller's transaction.

    The id of an event is derived from subject, version and name, so it is the same in every
    delivery. Raises `RuntimeError` outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs in the transaction of what it announces.")
    if outbox_events:
        prepared_sql.rows(
            _PUBLISH, {"events": strict_json.dumps(outbox_rows(outbox_events)).decode()}
        )


def outbox_rows(outbox_events: Sequence[OutboxEvent]) -> list[dict[str, Any]]:
    """Return the rows of the outbox, as `outbox_insert_sql` expects them."""
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
    """Return SQL that inserts `outbox_rows` from the parameter of that name, a JSON array.

    To use it inside a larger statement, `of` names the CTE that the events depend on, and `payload`
    is the SQL expression of the payload of row `x`.
    """
    source = f"{of} CROSS JOIN " if of else ""
    return f"""
INSERT INTO webhooks_event (tenant_id, uuid, name, subject, version, payload, published_at)
SELECT x.tenant_id, x.uuid, x.name, x.subject, x.version, {payload}, statement_timestamp()
  FROM {source}jsonb_to_recordset(%({parameter})s::jsonb) AS x(
    tenant_id bigint, uuid uuid, name text, subject uuid, version integer, payload jsonb)
"""  # noqa: S608  # composed of constants only


_PUBLISH: Final = f"{outbox_insert_sql('events')} RETURNING id"


def oldest_waiting() -> float:
    """Return the seconds that the oldest event has waited for delivery, 0 if none waits."""
    waited = Extract(Now() - F("published_at"), "epoch")
    seconds = Event.objects.order_by("pk").values_list(waited, flat=True).first()
    return 0.0 if seconds is None else float(seconds)


def waiting_since(tenant: Tenant, subjects: Sequence[UUID]) -> dt.datetime | None:
    """Return the time of the oldest event of these subjects that waits for delivery."""
    events = Event.objects.filter(tenant=tenant, subject__in=subjects)
    return events.aggregate(first=Min("published_at"))["first"]
