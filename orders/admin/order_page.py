"""The page of one order: everything about it, and what can be done with it now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin, actor_of
from ordermgmt.console.wording import exact, moment, relative
from ordermgmt.errors import DomainError
from orders.admin import labels
from orders.admin.buttons import BUTTONS, Button, Said, Target
from orders.admin.forms import NoteForm
from orders.admin.panels import happenings_since, panels
from orders.models import Hold, Order
from orders.services.changes.locking import ChangedSince
from orders.services.console.order_state import OrderState, load_order_state
from orders.services.timeline.descriptions import hold_label

Buttons = Mapping[Target, Sequence[tuple[Button, str]]]


class OrderPage(TenantAdmin):
    """The page's half of the pages over orders."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.act)
        return [
            path("<int:key>/<slug:name>/now/", view, name="orders_order_act"),
            path("<int:key>/<slug:name>/<uuid:target>/now/", view, name="orders_order_act_on"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(
                status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}
            )
        standing = self._look(request, object_id)
        if standing is None:
            return self._absent(request, object_id)
        shown = panels(
            standing,
            items_from=_number(request, "items_from") or 0,
            before=_number(request, "before"),
        )
        buttons = self._buttons(request, standing)
        for row in shown["items"].rows:
            row["buttons"] = buttons.get(row["item"], ())
        shown |= _doable(standing, buttons)
        return self._page(request, standing, "console/orders/order.html", shown)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """An order's own timeline is its history."""
        standing = self._look(request, object_id)
        if standing is None:
            return self._absent(request, object_id)
        return redirect(_address(standing) + "#timeline")

    def act(
        self, request: HttpRequest, key: int, name: str, target: UUID | None = None
    ) -> HttpResponse:
        """Ask before something is done to an order; a POST does it, and says what happened."""
        button, standing = BUTTONS.get(name), self._look(request, str(key))
        if standing is None or button is None:
            return self._absent(request, str(key))
        if not request.user.has_perm(button.permission):
            raise PermissionDenied
        found = button.target(standing, target)
        if not found:
            return self._absent(request, str(key))
        if request.method == "POST":
            return self._do(request, button, standing, found[0])
        if not button.is_possible(standing, found[0]):
            messages.warning(request, _why_not(button, standing))
            return redirect(_address(standing))
        form = button.form(initial={"expected_version": standing.document.order.version})
        typed.restore(request, form)
        return self._ask(request, button, standing, found[0], form)

    def _do(
        self, request: HttpRequest, button: Button, standing: OrderState, target: Target
    ) -> HttpResponse:
        form = button.form(request.POST)
        if not form.is_valid():
            return self._ask(request, button, standing, target, form)
        try:
            done = button.perform(standing, target, form.cleaned_data, actor_of(request.user))
        except ChangedSince:
            return self._changed(request, button, standing, target, form.cleaned_data)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return redirect(_address(standing))

    def _ask(
        self,
        request: HttpRequest,
        button: Button,
        standing: OrderState,
        target: Target,
        form: Any,
        **more: Any,
    ) -> HttpResponse:
        asked = {
            "button": button,
            "about": _about(target),
            "consequences": list(button.consequences(standing, target)),
            "form": form,
            "cancel_address": _address(standing),
        }
        status = more.pop("status", HTTPStatus.OK)
        response = self._page(request, standing, "console/orders/action.html", asked | more)
        response.status_code = status
        return response

    def _changed(
        self, request: HttpRequest, button: Button, standing: OrderState, target: Target, said: Said
    ) -> HttpResponse:
        """Refuse who decided by an order that is no longer so, and show what changed.

        What was written is kept, to be sent again by somebody who knows now.
        """
        standing = load_order_state(standing.tenant, standing.document.order.pk)
        found = button.target(standing, getattr(target, "uuid", None))
        form = button.form(initial=said | {"expected_version": standing.document.order.version})
        return self._ask(
            request,
            button,
            standing,
            found[0],
            form,
            status=HTTPStatus.CONFLICT,
            changes=happenings_since(standing.document.order, said["expected_version"]),
            is_possible=button.is_possible(standing, found[0]),
        )

    def _look(self, request: HttpRequest, object_id: str) -> OrderState | None:
        """How an order stands that this person may see; None as if there were none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not (object_id.isascii() and object_id.isdigit()):
            return None
        rows = self.get_queryset(request).select_related("tenant").only("tenant")
        order: Any = rows.filter(pk=int(object_id)).first()
        return None if order is None else load_order_state(order.tenant, order.pk)

    def _absent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another tenant's order cannot be told from none."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(
            request, Order._meta, object_id
        )
        return answer

    def _page(
        self, request: HttpRequest, standing: OrderState, template: str, shown: dict[str, Any]
    ) -> TemplateResponse:
        order = standing.document.order
        context = {
            **self.admin_site.each_context(request),
            "title": order.number,
            "opts": self.opts,
            "original": order,
            "order": order,
            "tenant": standing.tenant,
            **shown,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)

    def _buttons(self, request: HttpRequest, standing: OrderState) -> Buttons:
        """What is possible now and permitted, by what of the order it is done to."""
        found: dict[Target, list[tuple[Button, str]]] = defaultdict(list)
        for button in BUTTONS.values():
            if request.user.has_perm(button.permission):
                for target in button.targets(standing):
                    found[target].append((button, _act(standing, button, target)))
        return found


def _doable(standing: OrderState, buttons: Buttons) -> dict[str, Any]:
    """The buttons of the whole order and of its holds, and why there is none to cancel it."""
    whole = buttons.get(None, ())
    return {
        "buttons": [(b, address) for b, address in whole if b.form is not NoteForm],
        "note_address": next((address for b, address in whole if b.form is NoteForm), ""),
        "note_form": NoteForm(),
        "holds": [_hold(hold, buttons.get(hold, ())) for hold in standing.active_holds],
        "why_not_cancelable": standing.why_not_cancelable,
    }


def _hold(hold: Hold, buttons: Sequence[tuple[Button, str]]) -> dict[str, Any]:
    return {
        "hold": hold,
        "label": labels.hold(hold.kind, None),
        "why": labels.why(hold),
        "since": moment(hold.placed_at),
        "due": exact(hold.due_at) if hold.due_at else "",
        "due_in": relative(hold.due_at) if hold.due_at else "",
        "buttons": buttons,
    }


def _about(target: Target) -> str:
    """What of the order is meant, as the question's title names it."""
    if target is None:
        return ""
    return hold_label(target.kind) if isinstance(target, Hold) else target.product_id


def _why_not(button: Button, standing: OrderState) -> str:
    if button.name == "cancel":
        return standing.why_not_cancelable
    return f"“{button.label}” is not possible with the order as it is now."


def _act(standing: OrderState, button: Button, target: Target) -> str:
    key = standing.document.order.pk
    if target is None:
        return reverse("admin:orders_order_act", args=[key, button.name])
    return reverse("admin:orders_order_act_on", args=[key, button.name, target.uuid])


def _address(standing: OrderState) -> str:
    return reverse("admin:orders_order_change", args=[standing.document.order.pk])


def _number(request: HttpRequest, name: str) -> int | None:
    """A number of the address, if it is one that can be."""
    said = request.GET.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None
