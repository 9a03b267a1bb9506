"""Event catalogue and event payloads."""
