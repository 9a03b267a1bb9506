"""The people of the console: whom a tenant lets in, as what, and help for who cannot get in."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import CharField, ChoiceField
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from configuration.admin.rows import Seen
from configuration.admin.steps import Step, WithSteps
from configuration.models import Membership
from configuration.services import staff
from ordermgmt.console.roles import ROLES
from ordermgmt.models import SecondFactor

MEANING: Final = {
    "support": "support: reads, holds, releases, extends, cancels, notes",
    "supervisor": "supervisor: and approves big orders, reads the configuration",
    "admin": "admin: everything of the tenant",
}


class PersonForm(Seen):
    username = CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text="As they sign in, and as timelines name them; unique everywhere: ada@acme.",
    )
    role = ChoiceField(
        choices=[(role, MEANING[role]) for role in ROLES], widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = Membership
        fields = ["tenant"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            del self.fields["username"]
            self.fields["role"].initial = staff.role_of(self.instance)


@admin.register(Membership)
class PeopleAdmin(WithSteps):
    form = PersonForm
    list_display = ["username", "role", "active", "second_factor", "last_seen"]
    search_fields = ["user__username__istartswith"]
    ordering = ["user__username"]
    key_fields = ("username",)
    fields = ["username", "role"]
    steps = {
        "password": Step(
            "Give a new password",
            "The present one stops working at once, wherever they are signed in. The new one is"
            " shown once: tell them in person.",
            lambda person: staff.change_password(person.username, tenant=person.tenant),
            "Gave a new password.",
        ),
        "phone": Step(
            "Forget the phone",
            "For a lost phone: it and its recovery codes open nothing any more, and the next"
            " sign-in enrolls another.",
            lambda person: staff.reset_second_factor(person.username, tenant=person.tenant),
            "Forgot the phone.",
            lambda person: person.is_enrolled,
        ),
        "off": Step(
            "Keep out",
            "They are signed out at once, and cannot sign in.",
            lambda person: staff.switch(person.username, is_active=False, tenant=person.tenant),
            "Kept out.",
            lambda person: person.user.is_active,
        ),
        "on": Step(
            "Let in again",
            "They can sign in by the password and the phone they had.",
            lambda person: staff.switch(person.username, is_active=True, tenant=person.tenant),
            "Let in again.",
            lambda person: not person.user.is_active,
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Nobody's people are operators: they see every tenant, and none may change them."""
        phones = SecondFactor.objects.filter(user=OuterRef("user"), confirmed=True)
        found = super().get_queryset(request).filter(user__is_superuser=False)
        found = found.select_related("user", "tenant").prefetch_related("user__groups")
        return found.annotate(is_enrolled=Exists(phones))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["active", "second_factor", "last_seen"]

    @admin.display(ordering="user__username")
    def username(self, person: Membership) -> str:
        return person.username

    @admin.display
    def role(self, person: Membership) -> str:
        return staff.role_of(person)

    @admin.display(description="Active", boolean=True)
    def active(self, person: Membership) -> bool:
        return person.user.is_active

    @admin.display
    def second_factor(self, person: Any) -> str:
        if person.is_enrolled:
            return "phone"
        return "to be enrolled" if person.needs_second_factor else "none: a password is enough"

    @admin.display(ordering="user__last_login", empty_value="never")
    def last_seen(self, person: Membership) -> Any:
        return person.user.last_login and f"{person.user.last_login:%Y-%m-%d %H:%M} UTC"

    def write(
        self, tenant: Any, row: Membership | None, *, expected_version: int, **fields: Any
    ) -> Any:
        if row is None:
            return staff.create(tenant=tenant, **fields)
        return staff.change_role(fields["username"], role=fields["role"], tenant=tenant)

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Nobody shuts themselves out, or lifts themselves up."""
        person = super().row(request, object_id)
        if request.method == "POST" and person.user_id == request.user.pk:
            raise PermissionDenied("Ask another admin: this is about yourself.")
        return person

    def log(self, request: HttpRequest, row: Any, said: str) -> None:
        super().log(request, getattr(row, "membership", row), said)

    def has_secret(self, done: Any) -> bool:
        return isinstance(done, staff.WithPassword)

    def shown_once(self, request: HttpRequest, done: Any) -> HttpResponse:
        person = self.get_queryset(request).get(pk=done.membership.pk)
        return self.page(request, "password", person, password=done.password)
