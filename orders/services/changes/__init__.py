"""Changes of orders, written with their timeline entries and events."""
