"""Bulk jobs: their list, progress, results by order, and a stop button."""

from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from ordermgmt.console.scoping import TenantAdmin, actor_of
from ordermgmt.console.wording import moment, who
from orders.admin import labels
from orders.admin.bulk import BULK_ACTIONS
from orders.models import BulkJob, BulkOutcome, BulkVerb
from orders.services.console import bulk_jobs

SHOWN: Final = 100
_COLORS: Final = {
    BulkOutcome.WAITING: "plain",
    BulkOutcome.DONE: "success",
    BulkOutcome.REFUSED: "danger",
    BulkOutcome.STOPPED: "warning",
}


@admin.register(BulkJob)
class BulkJobAdmin(TenantAdmin):
    list_display: ClassVar = ("what", "reason", "by", "begun", "state")
    list_display_links: ClassVar = ("what",)
    list_per_page = 50
    ordering: ClassVar = ("-id",)
    sortable_by: ClassVar = ()
    actions: ClassVar = ()

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:key>/progress/", wrap(self.progress), name="orders_bulkjob_progress"),
            path("<int:key>/stop/", wrap(require_POST(self.stop)), name="orders_bulkjob_stop"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the progress, and the result for each order."""
        job = self._job(request, object_id)
        if job is None:
            return self._absent(request, object_id)
        outcome = request.GET.get("outcome", "")
        rows = job.orders.select_related("order").order_by("position")
        rows = rows.defer("order__details")
        if outcome in BulkOutcome.values:
            rows = rows.filter(outcome=outcome)
        after = request.GET.get("after", "")
        if after.isascii() and after.isdigit() and len(after) < 9:
            rows = rows.filter(position__gt=int(after))
        page = list(rows[: SHOWN + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": f"{job}, by {who(job.actor)}",
            "opts": self.opts,
            "original": job,
            "job": job,
            "by": who(job.actor),
            "stopped_by": who(job.stopped_by) if job.stopped_by else "",
            "begun": moment(job.created_at),
            "finished": moment(job.finished_at) if job.finished_at else "",
            "may_stop": request.user.has_perm(BULK_ACTIONS[BulkVerb(job.verb)].permission),
            "rows": [(row, _label(BulkOutcome(row.outcome))) for row in page[:SHOWN]],
            "after": page[SHOWN - 1].position if len(page) > SHOWN else None,
            "outcome": outcome,
            **_progress(job),
        }
        return TemplateResponse(request, "console/orders/job.html", context)

    def progress(self, request: HttpRequest, key: int) -> HttpResponse:
        """Return the progress as JSON, for the script of the job's page."""
        job = self._job(request, str(key))
        if job is None:
            return JsonResponse({}, status=404)
        state = _progress(job)
        counts = {outcome.value: n for outcome, n, _ in state["counts"]}
        finished = job.finished_at is not None
        return JsonResponse(counts | {"over": state["over"], "finished": finished})

    def stop(self, request: HttpRequest, key: int) -> HttpResponse:
        """Stop the job; orders that still wait stay as they are."""
        job = self._job(request, str(key))
        if job is None:
            return self._absent(request, str(key))
        if not request.user.has_perm(BULK_ACTIONS[BulkVerb(job.verb)].permission):
            raise PermissionDenied
        left = bulk_jobs.stop(job=job, actor=actor_of(request.user))
        messages.success(request, f"{left:,} orders are left as they were.")
        return redirect("admin:orders_bulkjob_change", job.pk)

    @admin.display(description="What")
    def what(self, job: BulkJob) -> str:
        return job.get_verb_display()

    @admin.display(description="By")
    def by(self, job: BulkJob) -> str:
        return who(job.actor)

    @admin.display(description="Begun")
    def begun(self, job: BulkJob) -> SafeString:
        return moment(job.created_at)

    @admin.display(description="State")
    def state(self, job: BulkJob) -> SafeString:
        if job.stopped_by:
            return labels.label("Stopped", "warning")
        if job.finished_at is None:
            return labels.label("Working", "info")
        return labels.label("Finished", "success")

    def _job(self, request: HttpRequest, object_id: str) -> BulkJob | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not (object_id.isascii() and object_id.isdigit()):
            return None
        job: Any = self.get_queryset(request).filter(pk=int(object_id)).first()
        return job

    def _absent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer for an unknown job; another tenant's job gets the same answer."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(
            request, BulkJob._meta, object_id
        )
        return answer


def _label(outcome: BulkOutcome) -> SafeString:
    return labels.label(outcome.label, _COLORS[outcome])


def _progress(job: BulkJob) -> dict[str, Any]:
    counts = bulk_jobs.tally(job)
    total = sum(counts.values())
    return {
        "counts": [(outcome, number, _label(outcome)) for outcome, number in counts.items()],
        "total": total,
        "over": total - counts[BulkOutcome.WAITING],
    }
