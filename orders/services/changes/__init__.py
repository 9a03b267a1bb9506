"""A change of an order: locked, recorded, written with its timeline and events."""
