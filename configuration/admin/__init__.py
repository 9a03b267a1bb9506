"""Configuration of a tenant in the console: settings, staff, clients, locations, service levels."""

from configuration.admin import clients, locations, people, service_levels, settings, tenants

__all__ = ["clients", "locations", "people", "service_levels", "settings", "tenants"]
