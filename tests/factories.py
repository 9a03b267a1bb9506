"""Plain valid objects. A test names only the attribute it is about."""

from typing import Any

import factory

from configuration.models import Client, Location, ServiceLevel, Tenant
from configuration.services import clients, locations, service_levels, tenants, tokens
from ordermgmt.http.scopes import SCOPES


class ByService(factory.Factory):
    """Made the way operators make it: by the service, with all it promises."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        return cls.service(**kwargs)

    @staticmethod
    def service(**kwargs: Any) -> Any:
        raise NotImplementedError


class TenantFactory(ByService):
    class Meta:
        model = Tenant

    slug = factory.Sequence("tenant-{}".format)
    service = staticmethod(tenants.create)


class ClientFactory(ByService):
    """A client that may do everything. Its secret is gone: a test of secrets calls the service."""

    class Meta:
        model = Client

    tenant = factory.SubFactory(TenantFactory)
    name = factory.Sequence("client-{}".format)

    scopes = tuple(SCOPES)

    @staticmethod
    def service(**kwargs: Any) -> Client:
        return clients.create(**kwargs).client


class LocationFactory(ByService):
    class Meta:
        model = Location

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence("LOC{}".format)
    type = "store"
    service = staticmethod(locations.put)


class ServiceLevelFactory(ByService):
    class Meta:
        model = ServiceLevel

    tenant = factory.SubFactory(TenantFactory)
    identifier = factory.Sequence("LEVEL-{}".format)
    service = staticmethod(service_levels.put)


def bearer(client: Client, scope: str = "") -> dict[str, str]:
    """The header of a request by this client, for Django's test client: `headers=bearer(…)`."""
    return {"Authorization": f"Bearer {tokens.issue_token(client, scope=scope).access_token}"}
