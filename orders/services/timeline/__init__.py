"""The timeline of an order and its descriptions."""
