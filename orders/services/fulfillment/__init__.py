"""Routing, reports of locations, and serial numbers."""
