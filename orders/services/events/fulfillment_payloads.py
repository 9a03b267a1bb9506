"""What subscribers are told of a location's work: `fulfillment_request` and returns, §g.2."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import uuid5

from orders.models import Item, Order
from orders.services.events.order_payloads import fulfillment_request, moment


def items_completed(
    order: Order, items: Sequence[Item], version: int, *, at: dt.datetime
) -> dict[str, Any]:
    """`fulfillment_request.items_completed`: these items of one request left."""
    request = fulfillment_request(
        order, items[0], request=items[0].request_version, version=version
    )
    return request | {
        "items": [
            {
                "id": i.uuid,
                "product_id": i.product_id,
                "tracking_code": i.tracking_code,
                "carrier": i.carrier,
                "shipped_at": moment(at),
            }
            for i in items
        ]
    }


def items_failed(request: dict[str, Any], items: Sequence[Item], version: int) -> dict[str, Any]:
    """`fulfillment_request.items_failed`: the location cannot, and says why.

    `request` as it was before the items were taken from it.
    """
    return request | {
        "logical_timestamp": version,
        "items": [
            {"id": i.uuid, "product_id": i.product_id, "rejection_reason": i.conflict_reason}
            for i in items
        ],
    }


def returned(
    order: Order, items: Sequence[tuple[Item, str]], version: int, at: dt.datetime
) -> dict[str, Any]:
    """`return.processed`: these items came back, each for a reason or none."""
    return {
        "id": uuid5(order.uuid, f"return:{version}"),
        "order_id": order.uuid,
        "returned_at": moment(at),
        "items": [
            {"id": i.uuid, "product_id": i.product_id, "return_reason": reason}
            for i, reason in items
        ],
    }
