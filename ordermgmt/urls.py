"""Every address of the service; the one module that sees every app."""

from django.contrib import admin
from django.contrib.staticfiles import views as staticfiles
from django.urls import include, path
from django.views.generic import RedirectView

from ordermgmt.http import openapi
from ordermgmt.monitoring import health

urlpatterns = [
    path("", include("orders.urls")),  # first, because they are requested most
    path("console/", admin.site.urls),
    path("console", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("openapi.yaml", openapi.document, name="openapi"),
    path("docs/", openapi.docs, name="docs"),
    # Served from the apps' folders without collecting; a proxy may serve these instead.
    path("static/<path:path>", staticfiles.serve, {"insecure": True}),
    path("", include("configuration.urls")),
    path("", include("webhooks.urls")),
]

handler400 = "ordermgmt.http.problems.bad_request"
handler403 = "ordermgmt.http.problems.permission_denied"
handler404 = "ordermgmt.http.problems.page_not_found"
handler500 = "ordermgmt.http.problems.server_error"
