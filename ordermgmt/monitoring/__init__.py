"""Health, gauges, heartbeats, logs and system checks."""
