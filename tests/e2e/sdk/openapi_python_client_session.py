"""A session with the client that openapi-python-client makes; it runs where that client is."""

import datetime as dt
import os

from order_management_client import AuthenticatedClient, Client
from order_management_client.api.cancellation import cancel_order, get_cancellation_status
from order_management_client.api.configuration import (
    get_external_order_webhook,
    get_on_hold_timer_duration,
    get_sales_order_generator_sequence,
)
from order_management_client.api.orders import (
    capture_order,
    get_order,
    get_order_history,
    list_order_prices,
)
from order_management_client.api.tokens import create_token
from order_management_client.models import (
    Address,
    Cancellation,
    CancellationStatus,
    CancelOrderIdType,
    CapturedOrder,
    CaptureRequest,
    CaptureRequestCurrencyType0,
    ClientCredentialsGrant,
    Customer,
    ExternalOrderWebhookSetting,
    GetCancellationStatusIdType,
    GetOrderIdType,
    InjectedCapture,
    InjectedCaptureCurrencyType0,
    InjectedPrice,
    ItemIn,
    OnHoldTimerDurationSetting,
    OrderDetail,
    OrderHistory,
    OrderHistoryV1,
    PriceListing,
    PriceOfGiftWrapping,
    PriceOfShipping,
    PriceRequest,
    ReadPrice,
    SalesOrderGeneratorSequenceSetting,
    ShipmentWithItems,
    ShippingOption,
    TokenAnswer,
)

V2 = "application/x.newstore.orders+json;version=2"
EXTERNAL = GetOrderIdType.EXTERNAL
PLACED = dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def authorized(tenant: str) -> AuthenticatedClient:
    """A client with a token."""
    url = os.environ["SDK_URL"]
    grant = ClientCredentialsGrant(
        grant_type="client_credentials",
        client_id=os.environ["SDK_CLIENT_ID"],
        client_secret=os.environ["SDK_CLIENT_SECRET"],
    )
    answer = create_token.sync(tenant, client=Client(base_url=url), body=grant)
    assert isinstance(answer, TokenAnswer), answer
    assert answer.expires_in > 0
    return AuthenticatedClient(base_url=url, token=answer.access_token)


def beside() -> CaptureRequest:
    """An order whose items are beside their shipments."""
    return CaptureRequest(
        external_id="opc-1",
        currency=CaptureRequestCurrencyType0.EUR,
        placed_at=PLACED,
        customer=Customer(id="opc", email="ada@example.com", name="Ada Byron"),
        shipping_address=Address(country_code="DE", city="Berlin", zip_code="10115"),
        billing_address=Address(country="DE", city="Bonn"),
        items=[ItemIn(product_id="SHOE-42", price=ReadPrice(net=80, tax=15.2, gross=95.2))],
    )


def inside() -> InjectedCapture:
    """An order whose items are inside their shipment."""
    return InjectedCapture(
        external_id="opc-2",
        currency=InjectedCaptureCurrencyType0.EUR,
        customer=Customer(id="opc"),
        shipping_address=Address(country="FR", city="Paris"),
        shipments=[
            ShipmentWithItems(
                items=[ItemIn(product_id="SOCK", price=InjectedPrice(item_price=12.5))],
                shipping_option=ShippingOption(price=5, tax=0),
            )
        ],
    )


def captured(
    client: AuthenticatedClient, tenant: str, body: CaptureRequest | InjectedCapture
) -> CapturedOrder:
    order = capture_order.sync(
        client=client, body=body, request_id="sdk-opc", tenant=tenant, x_newstore_tenant=tenant
    )
    assert isinstance(order, CapturedOrder), order
    return order


def read(client: AuthenticatedClient, name: str, id_type: GetOrderIdType) -> OrderDetail:
    order = get_order.sync(name, client=client, id_type=id_type)
    assert isinstance(order, OrderDetail), order
    return order


def cancelable(client: AuthenticatedClient) -> tuple[bool, bool]:
    """Return whether the first order can be cancelled, and whether it is."""
    status = get_cancellation_status.sync(
        "opc-1", client=client, id_type=GetCancellationStatusIdType.EXTERNAL
    )
    assert isinstance(status, CancellationStatus), status
    return status.cancelable, status.canceled


def main(tenant: str) -> None:
    client = authorized(tenant)

    first, second = captured(client, tenant, beside()), captured(client, tenant, inside())
    assert first.external_id == "opc-1"
    assert (first.totals.total, second.totals.total) == (95.2, 17.5)

    detail = read(client, "opc-1", EXTERNAL)
    assert detail.origin_id == first.origin_id
    assert detail.shipping_address
    assert detail.billing_address
    assert detail.shipping_address.city == "Berlin"
    assert detail.shipping_address.zip_code == "10115"
    assert detail.billing_address.country_code == "DE"
    assert detail.placed_at.startswith("2026-11-20T09:30:00")
    assert read(client, str(first.origin_id), GetOrderIdType.INTERNAL) == detail
    french = read(client, "opc-2", EXTERNAL).shipping_address
    assert french
    assert french.country_code == "FR"

    history = get_order_history.sync(client=client, customer_id="opc")
    assert isinstance(history, OrderHistoryV1), history
    assert history.orders == []  # version 1 lists an external OMS alone
    raw = client.get_httpx_client().get(
        "/v0/orders", params={"customer_id": "opc", "count": 1}, headers={"Accept": V2}
    )
    page = OrderHistory.from_dict(raw.json())
    assert (page.pagination_info.count, page.pagination_info.total) == (1, 2)
    assert isinstance(page.orders[0].placed_at, dt.datetime)

    query = PriceRequest(
        items=[PriceOfShipping(type_="shipping"), PriceOfGiftWrapping(type_="gift-wrapping")]
    )
    prices = list_order_prices.sync("opc-2", client=client, body=query)
    assert isinstance(prices, PriceListing), prices
    assert [(price.type_.value, price.price.gross) for price in prices.items] == [("shipping", 5)]

    assert cancelable(client) == (True, False)
    cancelled = cancel_order.sync_detailed(
        "opc-1",
        client=client,
        body=Cancellation(reason="Customer remorse"),
        id_type=CancelOrderIdType.EXTERNAL,
    )
    assert cancelled.status_code == 200, cancelled.content
    assert cancelable(client) == (False, True)

    sequence = get_sales_order_generator_sequence.sync(client=client)
    assert isinstance(sequence, SalesOrderGeneratorSequenceSetting), sequence
    assert (sequence.value.prefix, sequence.value.size) == ("SDK", 9)
    webhook = get_external_order_webhook.sync(client=client)
    assert isinstance(webhook, ExternalOrderWebhookSetting), webhook
    assert webhook.value is None
    timer = get_on_hold_timer_duration.sync(client=client)
    assert isinstance(timer, OnHoldTimerDurationSetting), timer
    assert timer.value == 600


if __name__ == "__main__":
    main(os.environ["SDK_TENANT"])
