"""OAuth clients in the console: creation, secrets that are shown once, scopes and deactivation."""

from typing import Any

from django.contrib import admin
from django.forms import MultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from configuration.admin.rows import VersionedForm
from configuration.admin.steps import Step, WithSteps
from configuration.models import Client
from configuration.services import clients
from ordermgmt.http.scopes import SCOPES


class ClientForm(VersionedForm):
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
class ClientAdmin(WithSteps):
    form = ClientForm
    list_display = ["name", "identity", "allowed", "active", "made"]
    list_filter = ["is_active"]
    search_fields = ["name__istartswith", "client_id__exact"]
    ordering = ["name", "pk"]
    key_fields = ("name",)
    fields = ["name", "scopes"]
    steps = {
        "rotate": Step(
            label="Rotate the secret",
            warning="The present secret and every token it got stop working at once; whatever uses"
            " them must be given the new secret, which is shown once.",
            run=lambda client: clients.rotate(client.client_id),
            message="Rotated the secret.",
        ),
        "revoke": Step(
            label="Revoke its tokens",
            warning="Every token it holds stops working at once."
            " It can get new ones with its secret.",
            run=lambda client: clients.revoke_tokens(client.client_id),
            message="Revoked its tokens.",
        ),
        "off": Step(
            label="Switch off",
            warning="Every token it holds stops working at once, and it gets no new ones.",
            run=lambda client: clients.switch(client.client_id, is_active=False),
            message="Switched off.",
            is_available=lambda client: client.is_active,
        ),
        "on": Step(
            label="Switch on",
            warning="It can get tokens with its secret again.",
            run=lambda client: clients.switch(client.client_id, is_active=True),
            message="Switched on.",
            is_available=lambda client: not client.is_active,
        ),
    }

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> list[str]:
        return [] if obj is None else ["identity", "active", "made"]

    @admin.display(description="Client id")
    def identity(self, client: Client) -> SafeString:
        return format_html('<code class="break-all text-xs">{}</code>', client.client_id)

    @admin.display(description="Active", boolean=True)
    def active(self, client: Client) -> bool:
        return client.is_active

    @admin.display(description="Made", ordering="created")
    def made(self, client: Client) -> str:
        return f"{client.created:%Y-%m-%d}"

    @admin.display(description="Scopes")
    def allowed(self, client: Client) -> str:
        return "all" if set(client.scopes) == set(SCOPES) else ", ".join(client.scopes)

    def write(
        self, tenant: Any, row: Client | None, *, expected_version: int, **fields: Any
    ) -> Any:
        if row is None:
            return clients.create(tenant=tenant, **fields)
        return clients.allow(row.client_id, scopes=fields["scopes"], if_match={expected_version})

    def has_secret(self, done: Any) -> bool:
        return isinstance(done, clients.WithSecret)

    def shown_once(self, request: HttpRequest, done: Any) -> HttpResponse:
        return self.page(request, "secret", done.client, secret=done.secret)
