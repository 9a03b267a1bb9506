"""Promising other systems that they will hear of something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import F
from django.db.models.functions import Extract, Now

from ordermgmt import hot, strict_json
from webhooks.models import Event

# Written as one statement because capture, the hot path, pays for every round trip.
_INSERT: Final = """
INSERT INTO webhooks_event (tenant_id, uuid, name, subject, version, payload, published_at)
SELECT x.tenant_id, x.uuid, x.name, x.subject, x.version, x.payload, now()
FROM jsonb_to_recordset(%s::jsonb) AS x(
  tenant_id bigint, uuid uuid, name text, subject uuid, version integer, payload jsonb)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class News:
    """An event about to be published; `version` is that of the timeline row announcing it."""

    tenant_id: int
    subject: UUID
    name: str
    version: int
    payload: dict[str, Any]


def publish(news: Sequence[News]) -> None:
    """Promise subscribers that they will hear of this, in the caller's transaction.

    If the caller rolls back, nothing was promised. An event's id follows from its subject,
    version and name, so it is the same however often it is delivered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs in the transaction of what it announces.")
    if not news:
        return
    rows = [
        {
            "tenant_id": n.tenant_id,
            "uuid": uuid5(n.subject, f"{n.version}:{n.name}"),
            "name": n.name,
            "subject": n.subject,
            "version": n.version,
            "payload": n.payload,
        }
        for n in news
    ]
    hot.rows(_INSERT, [strict_json.dumps(rows).decode()])


def oldest_waiting() -> float:
    """Seconds that the oldest event has waited to be delivered; 0 if none waits."""
    waited = Extract(Now() - F("published_at"), "epoch")
    found = Event.objects.order_by("pk").values_list(waited, flat=True).first()
    return 0.0 if found is None else float(found)
