"""The event catalogue and the payloads of events."""
