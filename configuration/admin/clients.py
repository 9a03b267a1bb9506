"""OAuth clients in the console: made with a secret that is shown once, and switched off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import MultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from configuration.admin.rows import ChangedByService, Seen
from configuration.models import Client
from configuration.services import clients
from ordermgmt.scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Step:
    """What can be done with a client, and what whoever does it should know before."""

    label: str
    warning: str
    run: Callable[[str], Any]
    said: str
    fits: Callable[[Client], bool] = lambda _: True


STEPS: Final = {
    "rotate": Step(
        "Rotate the secret",
        "The present secret and every token it got stop working at once; whatever uses them must"
        " be given the new secret, which is shown once.",
        clients.rotate,
        "Rotated the secret.",
    ),
    "revoke": Step(
        "Revoke its tokens",
        "Every token it holds stops working at once. It can get new ones with its secret.",
        clients.revoke_tokens,
        "Revoked its tokens.",
    ),
    "off": Step(
        "Switch off",
        "Every token it holds stops working at once, and it gets no new ones.",
        lambda client_id: clients.switch(client_id, is_active=False),
        "Switched off.",
        lambda client: client.is_active,
    ),
    "on": Step(
        "Switch on",
        "It can get tokens with its secret again.",
        lambda client_id: clients.switch(client_id, is_active=True),
        "Switched on.",
        lambda client: not client.is_active,
    ),
}


class ClientForm(Seen):
    scopes = MultipleChoiceField(
        choices=[(name, f"{name}: {text}") for name, text in SCOPES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="The most its tokens may be allowed. A change ends the tokens it holds.",
    )

    class Meta:
        model = Client
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = True
            self.fields["name"].help_text = "What timelines and histories call it; never changes."


@admin.register(Client)
class ClientAdmin(ChangedByService):
    form = ClientForm
    list_display = ["name", "client_id", "allowed", "active", "made"]
    list_filter = ["is_active"]
    search_fields = ["name__istartswith", "client_id__exact"]
    ordering = ["name", "pk"]
    key_fields = ("name",)
    fields = ["name", "scopes"]

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> list[str]:
        return [] if obj is None else ["client_id", "active", "made"]

    @admin.display(description="Active", boolean=True)
    def active(self, client: Client) -> bool:
        return client.is_active

    @admin.display(description="Made", ordering="created")
    def made(self, client: Client) -> str:
        return f"{client.created:%Y-%m-%d}"

    @admin.display(description="Scopes")
    def allowed(self, client: Client) -> str:
        return "all" if set(client.scopes) == set(SCOPES) else ", ".join(client.scopes)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.step_view)
        step = path("<int:pk>/<slug:step>/", view, name="configuration_client_step")
        # After the pages Django makes, but before its last, which takes every address.
        return [*(urls := super().get_urls())[:-1], step, urls[-1]]

    def write(self, tenant: Any, row: Client | None, *, seen: int, **fields: Any) -> Any:
        if row is None:
            return clients.create(tenant=tenant, **fields)
        return clients.allow(row.client_id, scopes=fields["scopes"])

    def done(self, request: HttpRequest, written: Any, *, made: bool) -> HttpResponse:
        if isinstance(written, clients.WithSecret):
            return self._secret(request, written)
        return super().done(request, written, made=made)

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Say what the step does; do it when it is confirmed."""
        client = self.row(request, str(pk))
        if not self.has_change_permission(request):
            raise PermissionDenied
        chosen = STEPS.get(step)
        if chosen is None or not chosen.fits(client):
            raise Http404("There is no such step for this client.")
        if request.method != "POST":
            return self.page(request, "confirm", client, step=chosen)
        with transaction.atomic():
            done = chosen.run(client.client_id)
            self.log(request, client, chosen.said)
        if isinstance(done, clients.WithSecret):
            return self._secret(request, done)
        return self.back(request, client, chosen.said)

    def page(self, request: HttpRequest, template: str, row: Any, **context: Any) -> HttpResponse:
        steps = {
            name: step
            for name, step in STEPS.items()
            if row is not None and self.has_change_permission(request) and step.fits(row)
        }
        return super().page(request, template, row, steps=steps, **context)

    def _secret(self, request: HttpRequest, made: clients.WithSecret) -> HttpResponse:
        """The one page that ever shows it: an answer to a POST, kept nowhere and cached nowhere."""
        return self.page(request, "secret", made.client, secret=made.secret)
