"""Base of pages that change rows: a form, one call of a service, and a history line.

Django's permissions decide about the person, `TenantAdmin` about the rows: another tenant's row is
answered like one that does not exist.
"""

from typing import Any, ClassVar, Final

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import label_for_field, lookup_field, unquote
from django.contrib.auth import get_permission_codename
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.forms import BaseForm, HiddenInput, IntegerField, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from configuration.admin.wording import as_text
from configuration.models import Tenant
from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin, tenant_id_of
from ordermgmt.errors import DomainError

HISTORY: Final = 20  # lines


def may(page: ModelAdmin, request: HttpRequest, verb: str) -> bool:
    """True if this person's roles allow the verb; `TenantAdmin` itself allows no changes."""
    codename = get_permission_codename(verb, page.opts)
    return bool(request.user.has_perm(f"{page.opts.app_label}.{codename}"))


def own_tenant(request: HttpRequest) -> Tenant | None:
    """Return the tenant of this person; None for an operator."""
    tenant_id = tenant_id_of(request.user)
    return None if tenant_id is None else Tenant.objects.get(pk=tenant_id)


class VersionedForm(ModelForm):
    """A form that carries the version of its row; 0 for a new row."""

    expected_version = IntegerField(widget=HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row: Any = self.instance
        self.fields["expected_version"].initial = (
            0 if row.pk is None else getattr(row, "version", 1)
        )


class ChangedByService(TenantAdmin):
    """Page of rows that a service writes; subclasses declare the fields and call the service."""

    form = VersionedForm
    actions = None
    key_fields: ClassVar[tuple[str, ...]] = ()  # set when the row is created, then fixed
    list_name: ClassVar[str] = ""  # in place of the model's plural name

    def write(self, tenant: Any, row: Any, *, expected_version: int, **fields: Any) -> Any:
        """Call the service that writes the form's fields; `row` is None for a new row.

        Raises `DomainError`.
        """
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return may(self, request, "add")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return may(self, request, "change")

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, with the tenant for an operator."""
        columns = super().get_list_display(request)
        return [*columns, "tenant"] if self._chooses_tenant(request) else columns

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = self.list_name or str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def _chooses_tenant(self, request: HttpRequest) -> bool:
        return self.model is not Tenant and tenant_id_of(request.user) is None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = None if object_id is None else self.row(request, object_id)
        writes = self.has_change_permission(request) if row else self.has_add_permission(request)
        if not writes and (row is None or request.method == "POST"):
            raise PermissionDenied
        form = self._form(request, row, writes=writes)
        if request.method == "POST" and form.is_valid():
            try:
                return self.done(request, self._written(request, row, form), is_new=row is None)
            except DomainError as refusal:
                form.add_error(None, str(refusal))
        if request.method != "POST" and writes:
            typed.restore(request, form)
        return self.page(request, "row", row, form=form, writes=writes)

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of that id; raise `PermissionDenied`, or `Http404` for no visible row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    def done(self, request: HttpRequest, written: Any, *, is_new: bool) -> HttpResponse:
        """Answer a form whose row was written."""
        return self.back(request, written, f"{'Made' if is_new else 'Changed'} {written}.")

    def back(self, request: HttpRequest, row: models.Model, message: str) -> HttpResponse:
        """Redirect to the row's page with a message."""
        messages.success(request, message)
        return HttpResponseRedirect(self.address("change", row.pk))

    def page(self, request: HttpRequest, template: str, row: Any, **context: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row) if row else f"Add {self.opts.verbose_name}",
            "row": row,
            "original": row,  # unfold's header links back by it
            "facts": [] if row is None else self._facts(request, row),
            "history": [] if row is None else self._history(row),
            "list_name": self.list_name,
            "list_url": self.address("changelist"),
            **context,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"console/configuration/{template}.html", context)

    def address(self, page: str, *args: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args)

    def log(self, request: HttpRequest, row: models.Model, message: str) -> None:
        """Add a line to the row's history."""
        self.log_change(request, row, message)

    def _form(self, request: HttpRequest, row: models.Model | None, *, writes: bool) -> BaseForm:
        fixed = () if row is None else self.key_fields
        fields = [name for name in self.get_fields(request, row) if name not in fixed]
        if row is None and self._chooses_tenant(request):
            fields = ["tenant", *fields]
        kind = self.get_form(request, row, change=row is not None, fields=fields)
        form: BaseForm = kind(request.POST if request.method == "POST" else None, instance=row)
        for field in form.fields.values():
            field.disabled = not writes
        return form

    def _written(self, request: HttpRequest, row: Any, form: BaseForm) -> Any:
        fields = dict(form.cleaned_data)
        if row is None:
            tenant = fields.pop("tenant", None) or own_tenant(request)
        else:
            tenant = row if isinstance(row, Tenant) else row.tenant
            fields |= {name: getattr(row, name) for name in self.key_fields}
        with transaction.atomic():
            written = self.write(tenant, row, **fields)
            new_row = getattr(written, "client", written)
            self.log(request, row or new_row, "Made." if row is None else _changes(form))
        return written

    def _facts(self, request: HttpRequest, row: models.Model) -> list[tuple[str, str]]:
        """Return labels and values of the fields the page shows besides its form."""
        names = list(self.get_readonly_fields(request, row))
        if self._chooses_tenant(request):
            names.append("tenant")
        return [
            (
                str(label_for_field(name, self.model, self)),
                as_text(lookup_field(name, row, self)[2]),
            )
            for name in names
        ]

    def _history(self, row: models.Model) -> Any:
        kind = ContentType.objects.get_for_model(row)
        lines = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk))
        return lines.select_related("user").order_by("-action_time", "-pk")[:HISTORY]


def _changes(form: BaseForm) -> str:
    """Return a history line with the old and new value of each changed field."""
    lines = []
    for name in form.changed_data:
        old = form.get_initial_for_field(form.fields[name], name)
        new = form.cleaned_data[name]
        lines.append(f"{form.fields[name].label}: {as_text(old)} → {as_text(new)}")
    return "; ".join(lines) or "Saved without a change."
