"""Staff of a tenant in the console: accounts, roles, passwords and second factors."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import CharField, ChoiceField
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from configuration.admin.rows import VersionedForm
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


class PersonForm(VersionedForm):
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
class StaffAdmin(WithSteps):
    form = PersonForm
    list_name = "Staff"
    list_display = ["username", "role", "active", "second_factor", "last_seen"]
    search_fields = ["user__username__istartswith"]
    ordering = ["user__username"]
    key_fields = ("username",)
    fields = ["username", "role"]
    steps = {
        "password": Step(
            label="Give a new password",
            warning="The present one stops working at once, wherever they are signed in. The new"
            " one is shown once: tell them in person.",
            run=lambda person: staff.change_password(person.username, tenant=person.tenant),
            message="Gave a new password.",
        ),
        "phone": Step(
            label="Forget the phone",
            warning="For a lost phone: it and its recovery codes open nothing any more, and the"
            " next sign-in enrolls another.",
            run=lambda person: staff.reset_second_factor(person.username, tenant=person.tenant),
            message="Forgot the phone.",
            is_available=lambda person: person.is_enrolled,
        ),
        "off": Step(
            label="Keep out",
            warning="They are signed out at once, and cannot sign in.",
            run=lambda person: staff.switch(person.username, is_active=False, tenant=person.tenant),
            message="Kept out.",
            is_available=lambda person: person.user.is_active,
        ),
        "on": Step(
            label="Let in again",
            warning="They can sign in by the password and the phone they had.",
            run=lambda person: staff.switch(person.username, is_active=True, tenant=person.tenant),
            message="Let in again.",
            is_available=lambda person: not person.user.is_active,
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Return the tenant's staff without operators, who belong to no tenant."""
        phones = SecondFactor.objects.filter(user=OuterRef("user"), confirmed=True)
        people = super().get_queryset(request).filter(user__is_superuser=False)
        people = people.select_related("user", "tenant").prefetch_related("user__groups")
        return people.annotate(is_enrolled=Exists(phones))

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
        """Return a person's row; raise `PermissionDenied` for a change of one's own account."""
        person = super().row(request, object_id)
        if request.method == "POST" and person.user_id == request.user.pk:
            raise PermissionDenied("Ask another admin: this is about yourself.")
        return person

    def log(self, request: HttpRequest, row: Any, message: str) -> None:
        super().log(request, getattr(row, "membership", row), message)

    def has_secret(self, done: Any) -> bool:
        return isinstance(done, staff.WithPassword)

    def shown_once(self, request: HttpRequest, done: Any) -> HttpResponse:
        person = self.get_queryset(request).get(pk=done.membership.pk)
        return self.page(request, "password", person, password=done.password)
