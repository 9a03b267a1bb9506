"""A customer-care agent in the console, signed in with both factors, by Django's test client."""

from typing import Any

from django.http import HttpResponse
from django.test import Client as Browser

from orders.models import Hold, Item, Order
from tests.console.people import enter, person
from tests.orders.shop import Shop

LIST = "/console/orders/order/"


class Agent:
    """The requests of one agent."""

    def __init__(self, shop: Shop | None, role: str = "support") -> None:
        self.person = person(role, shop.tenant) if shop else person("operator", None)
        self.actor = f"staff:{self.person.get_username()}"
        self.browser = Browser()
        enter(self.browser, self.person)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.browser.get(path, query_params=query)

    def post(self, path: str, **fields: Any) -> HttpResponse:
        return self.browser.post(path, fields)

    def page(self, order: Order, **query: Any) -> str:
        """The page of an order that must be there."""
        answer = self.get(address(order), **query)
        assert answer.status_code == 200, answer
        return answer.content.decode()

    def do(self, order: Order, name: str, on: Hold | Item | None = None, **fields: Any) -> Any:
        """Press a button and answer what it asks, having seen the order as it is now."""
        order.refresh_from_db(fields=["version"])
        return self.post(act(order, name, on), **{"expected_version": order.version} | fields)


def address(order: Order) -> str:
    return f"{LIST}{order.pk}/change/"


def act(order: Order, name: str, on: Hold | Item | None = None) -> str:
    """Where a button leads."""
    return f"{LIST}{order.pk}/{name}/{f'{on.uuid}/' if on else ''}now/"


def heard(browser: Browser) -> list[str]:
    """The messages the next page would show."""
    page = browser.get("/console/orders/order/", {"q": "nothing at all"})
    return [str(message) for message in page.context["messages"]]
