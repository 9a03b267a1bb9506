"""What can be done with a row besides changing its form: each step says what it does, then asks."""

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
    """What can be done with a row, and what whoever does it should know before."""

    label: str
    warning: str
    run: Callable[[Any], Any]
    said: str
    fits: Callable[[Any], bool] = lambda _: True


class WithSteps(ChangedByService):
    """A subclass lists its steps; what one of them makes may be a secret, which is shown once."""

    steps: ClassVar[dict[str, Step]] = {}

    def has_secret(self, done: Any) -> bool:
        """Whether what a step or the form made is to be shown once."""
        raise NotImplementedError

    def shown_once(self, request: HttpRequest, done: Any) -> HttpResponse:
        """The one page that ever shows it: an answer to a POST, kept nowhere and cached nowhere."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.step_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        # After the pages Django makes, but before its last, which takes every address.
        urls = super().get_urls()
        return [*urls[:-1], path("<int:pk>/<slug:step>/", view, name=name), urls[-1]]

    def done(self, request: HttpRequest, written: Any, *, made: bool) -> HttpResponse:
        if self.has_secret(written):
            return self.shown_once(request, written)
        return super().done(request, written, made=made)

    def step_view(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Say what the step does; do it when it is confirmed."""
        row = self.row(request, str(pk))
        if not self.has_change_permission(request):
            raise PermissionDenied
        chosen = self.steps.get(step)
        if chosen is None or not chosen.fits(row):
            raise Http404("There is no such step here.")
        if request.method != "POST":
            return self.page(request, "confirm", row, step=chosen)
        with transaction.atomic():
            done = chosen.run(row)
            self.log(request, row, chosen.said)
        if self.has_secret(done):
            return self.shown_once(request, done)
        return self.back(request, row, chosen.said)

    def page(self, request: HttpRequest, template: str, row: Any, **context: Any) -> HttpResponse:
        pages = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        steps = {
            name: step
            for name, step in self.steps.items()
            if row is not None and self.has_change_permission(request) and step.fits(row)
        }
        context = {
            "steps": steps,
            "step_page": f"{pages}_step",
            "change_page": f"{pages}_change",
        } | context
        return super().page(request, template, row, **context)
