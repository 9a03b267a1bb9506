"""URL patterns of the configuration and token routes."""

from django.urls import URLPattern, path

from configuration.api import VIEWSETS
from configuration.key_api import LoginViewSet
from configuration.token_api import LegacyTokenViewSet, OpenIdViewSet

OPENID = "auth/realms/<str:tenant>/protocol/openid-connect"

urlpatterns: list[URLPattern] = [
    *(
        path(
            f"v0/config/sales_order/{name}",
            viewset.as_view({"get": "retrieve", "post": "create"}),
            name=name,
        )
        for name, viewset in VIEWSETS.items()
    ),
    path(f"{OPENID}/token", OpenIdViewSet.as_view({"post": "create"}), name="token"),
    path(f"{OPENID}/revoke", OpenIdViewSet.as_view({"post": "revoke"}), name="revoke"),
    path("api/v1/auth/login", LoginViewSet.as_view({"post": "create"})),
    path("api/v1/auth/login/", LoginViewSet.as_view({"post": "create"}), name="akinon-login"),
    path("v0/token", LegacyTokenViewSet.as_view({"post": "create"}), name="legacy-token"),
    path(
        "v0/refresh_token",
        LegacyTokenViewSet.as_view({"post": "refresh"}),
        name="legacy-refresh-token",
    ),
]
