"""Payloads of the events about fulfillment requests and returns."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from orders.models import Item, Order
from orders.services.events.order_payloads import moment


def assigned(order: Order, items: Sequence[Item], version: int) -> dict[str, Any]:
    """Return the payload of `fulfillment_request.assigned` for the items of one shipment."""
    location = items[0].location_code
    return _request(order, items[0], version, request_version=version, location=location) | {
        "items": [{"id": i.uuid, "product_id": i.product_id} for i in items],
    }


def items_completed(
    order: Order, items: Sequence[Item], version: int, *, at: dt.datetime
) -> dict[str, Any]:
    """Return the payload of `fulfillment_request.items_completed` for items of one request.

    `at` is the time at which the items were shipped.
    """
    first = items[0]
    request = _request(
        order,
        first,
        version,
        request_version=first.request_version,
        location=first.location_code,
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


def items_failed(
    order: Order, items: Sequence[Item], version: int, *, request_version: int, location: str
) -> dict[str, Any]:
    """Return the payload of `fulfillment_request.items_failed` for items of one request.

    `request_version` and `location` are those of the items before they were rejected.
    """
    request = _request(order, items[0], version, request_version=request_version, location=location)
    return request | {
        "items": [
            {"id": i.uuid, "product_id": i.product_id, "rejection_reason": i.conflict_reason}
            for i in items
        ]
    }


def returned(
    order: Order,
    items: Sequence[Item],
    version: int,
    *,
    reasons: Mapping[UUID, str],
    at: dt.datetime,
) -> dict[str, Any]:
    """Return the payload of `return.processed`; `reasons` holds each item's reason by its id."""
    return {
        "id": uuid5(order.uuid, f"return:{version}"),
        "order_id": order.uuid,
        "returned_at": moment(at),
        "items": [
            {"id": i.uuid, "product_id": i.product_id, "return_reason": reasons[i.uuid]}
            for i in items
        ],
    }


def _request(
    order: Order, item: Item, version: int, *, request_version: int, location: str
) -> dict[str, Any]:
    """Return the part that all `fulfillment_request` events share.

    A request keeps the id derived from `request_version`, the order's version that assigned it.
    """
    return {
        "id": uuid5(order.uuid, f"fulfillment_request:{request_version}"),
        "order_id": order.uuid,
        "logical_timestamp": version,
        "created_at": moment(order.captured_at),
        "fulfillment_location_id": location,
        "service_level": item.shipment.service_level if item.shipment else "",
    }
