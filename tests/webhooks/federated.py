"""Tenant with an external OMS, and its orders as our API answers them."""

from typing import Any

from configuration import keys
from orders.api.external_models import ExternalDetail
from tests.orders.shop import Shop, documented, read
from tests.webhooks.oms import Oms
from webhooks import external_orders, oms_health


class FederatedShop(Shop):
    """A shop with `oms` as its external OMS and empty caches."""

    def __init__(self, oms: Oms, *, timeout: int = 2, **switches: Any) -> None:
        super().__init__(allows_http_webhooks=True, **switches)
        self.point_to(oms, timeout=timeout)

    def point_to(self, oms: Oms, *, timeout: int = 2) -> None:
        value = {"url": oms.url, "api_key": oms.api_key, "timeout": timeout}
        self.set(keys.EXTERNAL_ORDER_WEBHOOK, value)
        self.forget()

    def forget(self) -> None:
        """Invalidate the caches of this process, as if a second had passed."""
        external_orders.invalidate(self.tenant)
        oms_health.health.invalidate(self.tenant)

    def foreign(self, reference: str, **kwargs: Any) -> Any:
        """Return an order of the OMS, which must exist and have documented members only."""
        return documented(ExternalDetail, self.detail(reference, "external", **kwargs))

    def whole(self, customer_id: str) -> Any:
        """Return a history in version 1."""
        response = self.get("/v0/orders", customer_id=customer_id)
        assert response.status_code == 200, response.content
        return read(response)["orders"]
