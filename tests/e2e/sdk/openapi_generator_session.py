"""A session with the client that OpenAPI Generator makes; it runs where that client is."""

import datetime as dt
import os
from decimal import Decimal
from uuid import UUID

from ordermgmt_sdk import ApiClient, Configuration
from ordermgmt_sdk.api import CancellationApi, ConfigurationApi, OrdersApi, TokensApi
from ordermgmt_sdk.models import (
    Address,
    Cancellation,
    Capture,
    CapturedOrder,
    CaptureRequest,
    Customer,
    InjectedCapture,
    InjectedPrice,
    ItemIn,
    ItemInPrice,
    OrderDetail,
    OrderHistory,
    Payment,
    PriceOfGiftWrapping,
    PriceOfShipping,
    PriceRequest,
    PriceRequestItemsInner,
    ReadPrice,
    ShipmentWithItems,
    ShippingOption,
)

V2 = "application/x.newstore.orders+json;version=2"
PLACED = dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def authorized(tenant: str) -> ApiClient:
    """A client with a token."""
    configuration = Configuration(host=os.environ["SDK_URL"])
    client = ApiClient(configuration)
    answer = TokensApi(client).create_token(
        tenant,
        "client_credentials",
        client_id=os.environ["SDK_CLIENT_ID"],
        client_secret=os.environ["SDK_CLIENT_SECRET"],
    )
    assert answer.expires_in > 0
    configuration.access_token = answer.access_token
    return client


def beside() -> CaptureRequest:
    """An order whose items are beside their shipments."""
    return CaptureRequest(
        external_id="og-1",
        currency="EUR",
        placed_at=PLACED,
        customer=Customer(id="og", email="ada@example.com", name="Ada Byron"),
        shipping_address=Address(
            country_code="DE", city="Berlin", zip_code="10115", address_line_1="Invalidenstr. 1"
        ),
        billing_address=Address(country="DE", city="Bonn"),
        items=[
            ItemIn(product_id="SHOE-42", price=ItemInPrice(ReadPrice(net=80, tax=15.2, gross=95.2)))
        ],
        payments=[
            Payment(
                type="authorized",
                amount=95.2,
                method="credit_card",
                processor="adyen",
                processed_at=PLACED,
                correlation_ref="og-payment-1",
            )
        ],
    )


def inside() -> InjectedCapture:
    """An order whose items are inside their shipment."""
    price = InjectedPrice(item_price=12.5)
    return InjectedCapture(
        external_id="og-2",
        currency="EUR",
        customer=Customer(id="og"),
        shipping_address=Address(country="FR", city="Paris"),
        shipments=[
            ShipmentWithItems(
                items=[ItemIn(product_id="SOCK", price=ItemInPrice(price))],
                shipping_option=ShippingOption(price=5, tax=0),
            )
        ],
    )


def captured(
    client: ApiClient, tenant: str, body: CaptureRequest | InjectedCapture
) -> CapturedOrder:
    return OrdersApi(client).capture_order(
        request_id="sdk-og", tenant=tenant, x_newstore_tenant=tenant, capture=Capture(body)
    )


def read(client: ApiClient, name: str, id_type: str) -> OrderDetail:
    order = OrdersApi(client).get_order(name, id_type).actual_instance
    assert isinstance(order, OrderDetail)
    return order


def main(tenant: str) -> None:
    client = authorized(tenant)
    orders, cancellation = OrdersApi(client), CancellationApi(client)

    first, second = captured(client, tenant, beside()), captured(client, tenant, inside())
    assert first.external_id == "og-1"
    assert Decimal(str(first.totals.total)) == Decimal("95.2")
    assert Decimal(str(second.totals.total)) == Decimal("17.5")

    detail = read(client, "og-1", "external")
    assert detail.origin_id == first.origin_id
    assert isinstance(detail.origin_id, UUID)
    assert detail.shipping_address is not None
    assert detail.billing_address is not None
    assert detail.shipping_address.city == "Berlin"
    assert detail.shipping_address.zip_code == "10115"
    assert detail.billing_address.country_code == "DE"
    assert detail.placed_at.startswith("2026-11-20T09:30:00")
    assert read(client, str(first.origin_id), "internal") == detail
    french = read(client, "og-2", "external").shipping_address
    assert french is not None
    assert french.country_code == "FR"

    assert orders.get_order_history("og").orders == []  # version 1 lists an external OMS alone
    raw = orders.get_order_history_without_preload_content("og", count=1, _headers={"Accept": V2})
    page = OrderHistory.from_json(raw.read().decode())
    assert page is not None
    assert (page.pagination_info.count, page.pagination_info.total) == (1, 2)

    wanted = [PriceOfShipping(type="shipping"), PriceOfGiftWrapping(type="gift-wrapping")]
    query = PriceRequest(items=[PriceRequestItemsInner(price) for price in wanted])
    prices = orders.list_order_prices("og-2", query)
    assert [(price.type, price.price.gross) for price in prices.items] == [("shipping", 5)]

    status = cancellation.get_cancellation_status("og-1", "external")
    assert (status.cancelable, status.canceled) == (True, False)
    cancellation.cancel_order("og-1", "external", Cancellation(reason="Customer remorse"))
    status = cancellation.get_cancellation_status("og-1", "external")
    assert (status.cancelable, status.canceled) == (False, True)

    configuration = ConfigurationApi(client)
    sequence = configuration.get_sales_order_generator_sequence().value
    assert sequence is not None
    assert (sequence.prefix, sequence.size) == ("SDK", 9)
    assert configuration.get_external_order_webhook().value is None
    assert configuration.get_on_hold_timer_duration().value == 600


if __name__ == "__main__":
    main(os.environ["SDK_TENANT"])
