"""Request bodies of the load: captures of a web shop, and the two reads."""

import json
from typing import Any, Final

from bench.client import COUNTER
from ordermgmt.http.negotiation import ORDERS_V2

CUSTOMERS: Final = 10_000
CUSTOMER: Final = "@customer@"
ORDER: Final = "@order@"
SERVICE_LEVEL: Final = "standard"
_DIGITS: Final = 9  # of a counter


def customers() -> list[str]:
    """Return the ids of the customers that captures choose from."""
    return [f"7{number:09}" for number in range(CUSTOMERS)]


def capture(items: int) -> dict[str, Any]:
    """Return one order of `items` units: customer, addresses, one shipment, paid by card."""
    address = {
        "first_name": "Grace",
        "last_name": "Hopper",
        "country": "US",
        "zip_code": "27587",
        "city": "Raleigh",
        "state": "NC",
        "address_line_1": "1 Navy Way",
        "address_line_2": "Floor 3",
        "phone": "(555) 010-0000",
    }
    return {
        "external_id": f"WEB-{COUNTER}",
        "shop": "storefront-catalog-en",
        "shop_locale": "en-US",
        "channel_type": "web",
        "channel_name": "webshop",
        "currency": "USD",
        "price_method": "tax_excluded",
        "customer_name": "Grace Hopper",
        "customer_email": f"customer.{CUSTOMER}@example.com",
        "external_customer_id": CUSTOMER,
        "placed_at": "2026-03-06T18:27:18-05:00",
        "ip_address": "127.0.0.1",
        "shipping_address": address,
        "billing_address": address,
        "shipments": [
            {
                "items": [_item(number) for number in range(items)],
                "shipping_option": {
                    "service_level_identifier": SERVICE_LEVEL,
                    "price": 10,
                    "tax": 0.8,
                },
            }
        ],
        "payments": [
            {
                "processor": "shopify",
                "correlation_ref": f"PAY-{COUNTER}",
                "type": "authorized",
                "amount": round(86.4 * items + 10.8, 2),
                "method": "credit_card",
                "processed_at": "2026-03-06T18:27:16-05:00",
                "metadata": {"avs_result_code": "Y", "credit_card_company": "Visa"},
            }
        ],
        "extended_attributes": [{"name": "external_order_id", "value": f"WEB-{COUNTER}"}],
    }


def _item(number: int) -> dict[str, Any]:
    return {
        "external_item_id": f"4024{COUNTER}{number:04}",
        "product_id": f"SKU-{number:05}",
        "price": {
            "item_price": 80,
            "item_list_price": 80,
            "item_tax_lines": [{"amount": 6.4, "rate": 0.08, "name": "STATE TAX"}],
            "item_discount_info": [],
            "item_order_discount_info": [],
        },
        "extended_attributes": [{"name": "is_gift_card", "value": "False"}],
    }


def capture_request(*, items: int, tenant: str, token: str, host: str) -> str:
    """Return the capture as a raw request with the marks of `bench.client`."""
    body = json.dumps(capture(items), separators=(",", ":"))
    length = len(body.replace(COUNTER, "0" * _DIGITS).replace(CUSTOMER, customers()[0]))
    head = [
        "POST /order-management/orders HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {token}",
        f"Tenant: {tenant}",
        f"X-Newstore-Tenant: {tenant}",
        f"Request-Id: bench-{COUNTER}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*head, "", body])


def read_request(path: str, *, token: str, host: str) -> str:
    """Return a read of `path`, in which marks stand for the order or customer."""
    head = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {token}",
        f"Accept: {ORDERS_V2}",
    ]
    return "\r\n".join([*head, "", ""])
