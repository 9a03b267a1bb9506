"""The page of one order: everything about it, and what can be done with it now."""


class OrderPage:
    """The page's half of the pages over orders."""
