"""What a tenant has set up, in the console: settings, clients, locations and service levels."""

from configuration.admin import clients, locations, service_levels, settings, tenants

__all__ = ["clients", "locations", "service_levels", "settings", "tenants"]
