"""Steps of a row besides its form, each with a warning and a confirmation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from configuration.admin.rows import ChangedByService


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its button, the warning before it, the service call and the message after it."""

    label: str
    warning: str
    run: Callable[[Any], Any]
    message: str
    is_available: Callable[[Any], bool] = lambda _: True


class WithSteps(ChangedByService):
    """Page of rows with steps; the result of a step may be a secret, which is shown once."""

    steps: ClassVar[dict[str, Step]] = {}

    def has_secret(self, done: Any) -> bool:
        """Return True if the result of a step or of the form holds a secret to show."""
        raise NotImplementedError

    def shown_once(self, request: HttpRequest, done: Any) -> HttpResponse:
        """Show a secret, in the only answer that contains it; it is neither stored nor cached."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.step_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        # Before Django's last URL pattern, because that one matches every address.
        urls = super().get_urls()
        return [*urls[:-1], path("<int:pk>/<slug:step>/", view, name=name), urls[-1]]

    def done(self, request: HttpRequest, written: Any, *, is_new: bool) -> HttpResponse:
        if self.has_secret(written):
            return self.shown_once(request, written)
        return super().done(request, written, is_new=is_new)

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Show the warning of a step on GET; run the step on POST."""
        row = self.row(request, str(pk))
        if not self.has_change_permission(request):
            raise PermissionDenied
        chosen = self.steps.get(step)
        if chosen is None or not chosen.is_available(row):
            raise Http404("There is no such step here.")
        if request.method != "POST":
            return self.page(request, "confirm", row, step=chosen)
        with transaction.atomic():
            result = chosen.run(row)
            self.log(request, row, chosen.message)
        if self.has_secret(result):
            return self.shown_once(request, result)
        return self.back(request, row, chosen.message)

    def page(self, request: HttpRequest, template: str, row: Any, **context: Any) -> HttpResponse:
        pages = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        steps = {
            name: step
            for name, step in self.steps.items()
            if row is not None and self.has_change_permission(request) and step.is_available(row)
        }
        context = {
            "steps": steps,
            "step_page": f"{pages}_step",
            "change_page": f"{pages}_change",
        } | context
        return super().page(request, template, row, **context)
