"""The list of orders: what support sees of many orders at once."""


class OrderList:
    """The list's half of the page over orders."""
