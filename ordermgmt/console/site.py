"""Admin site of the console: its URLs, sign-in, access check and shared context."""

from functools import partial, wraps
from typing import Any, Final

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite

from ordermgmt.console import typed, ways_in
from ordermgmt.console.scoping import TenantAdmin

THEMES: Final = (
    ("light", "light_mode", "Light"),
    ("dark", "dark_mode", "Dark"),
    ("auto", "computer", "System"),
)


class ConsoleSite(UnfoldAdminSite):
    """The site behind `django.contrib.admin.site`; apps register pages with `@admin.register`."""

    site_title = "ordermgmt"
    site_header = "ordermgmt"
    index_title = "Today"

    def register(self, models: Any, admin_class: Any = None, **options: Any) -> None:
        """Register our own pages only, because pages of packages show the rows of all tenants."""
        if admin_class is not None and issubclass(admin_class, TenantAdmin):
            super().register(models, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs without unfold's search, which ignores tenants and indexes."""
        code = path(
            "second-factor/", partial(ways_in.second_factor_view, site=self), name="second_factor"
        )
        return [code, *super(UnfoldAdminSite, self).get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap a view like Django; keep a form posted after its session for the next sign-in."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def outer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and not self.has_permission(request):
                typed.keep(request)
            return inner(request, *args, **kwargs)

        return outer

    def has_permission(self, request: HttpRequest) -> bool:
        return ways_in.may_enter(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the password page; redirect to the code page after an accepted password."""
        if request.method == "POST":
            return ways_in.guarded(partial(super().login, request, extra_context), request)
        if ways_in.works_here(request.user) and not self.has_permission(request):
            wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
            query = urlencode({REDIRECT_FIELD_NAME: wanted}) if wanted else ""
            return redirect(f"{reverse('admin:second_factor')}?{query}")
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return (
            super().each_context(request) | {"themes": THEMES} | _membership_context(request.user)
        )


def _membership_context(user: Any) -> dict[str, Any]:
    """Return the tenant and role of the person for the navigation; empty for an operator."""
    membership = getattr(user, "membership", None)
    if membership is None:
        return {}
    roles = user.groups.values_list("name", flat=True)
    return {
        "tenant_name": membership.tenant.name,
        "role_name": " and ".join(sorted(roles)).capitalize(),
    }
