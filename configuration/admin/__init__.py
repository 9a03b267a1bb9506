"""What a tenant has set up, in the console: settings, people, clients, locations …"""

from configuration.admin import clients, locations, people, service_levels, settings, tenants

__all__ = ["clients", "locations", "people", "service_levels", "settings", "tenants"]
