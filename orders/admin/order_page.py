"""Order page: the details of one order, and the actions possible now."""

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
from orders.admin.buttons import BUTTONS, Button, FormData, Target
from orders.admin.forms import NoteForm
from orders.admin.panels import changes_since, panels
from orders.models import Hold, Order
from orders.services.changes.locking import ChangedSince
from orders.services.console.order_state import OrderState, load_order_state
from orders.services.timeline.descriptions import hold_label

Buttons = Mapping[Target, Sequence[tuple[Button, str]]]


class OrderPage(TenantAdmin):
    """Pages of one order in `OrderAdmin`."""

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
        state = self._state(request, object_id)
        if state is None:
            return self._absent(request, object_id)
        context = panels(
            state,
            items_from=_number(request, "items_from") or 0,
            before=_number(request, "before"),
        )
        buttons = self._buttons(request, state)
        for row in context["items"].rows:
            row["buttons"] = buttons.get(row["item"], ())
        context |= _actions(state, buttons)
        return self._page(request, state, "console/orders/order.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the order's timeline, which is its history."""
        state = self._state(request, object_id)
        if state is None:
            return self._absent(request, object_id)
        return redirect(_address(state) + "#timeline")

    def act(
        self, request: HttpRequest, key: int, name: str, target: UUID | None = None
    ) -> HttpResponse:
        """Show the form of an action on GET; perform the action on POST."""
        button, state = BUTTONS.get(name), self._state(request, str(key))
        if state is None or button is None:
            return self._absent(request, str(key))
        if not request.user.has_perm(button.permission):
            raise PermissionDenied
        targets = button.target(state, target)
        if not targets:
            return self._absent(request, str(key))
        if request.method == "POST":
            return self._perform(request, button, state, targets[0])
        if not button.is_possible(state, targets[0]):
            messages.warning(request, _why_not(button, state))
            return redirect(_address(state))
        form = button.form(initial={"expected_version": state.document.order.version})
        typed.restore(request, form)
        return self._show_form(request, button, state, targets[0], form)

    def _perform(
        self, request: HttpRequest, button: Button, state: OrderState, target: Target
    ) -> HttpResponse:
        form = button.form(request.POST)
        if not form.is_valid():
            return self._show_form(request, button, state, target, form)
        try:
            message = button.perform(state, target, form.cleaned_data, actor_of(request.user))
        except ChangedSince:
            return self._changed(request, button, state, target, form.cleaned_data)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, message)
        return redirect(_address(state))

    def _show_form(
        self,
        request: HttpRequest,
        button: Button,
        state: OrderState,
        target: Target,
        form: Any,
        **more: Any,
    ) -> HttpResponse:
        context = {
            "button": button,
            "about": _about(target),
            "consequences": list(button.consequences(state, target)),
            "form": form,
            "cancel_address": _address(state),
        }
        status = more.pop("status", HTTPStatus.OK)
        response = self._page(request, state, "console/orders/action.html", context | more)
        response.status_code = status
        return response

    def _changed(
        self,
        request: HttpRequest,
        button: Button,
        state: OrderState,
        target: Target,
        form_data: FormData,
    ) -> HttpResponse:
        """Answer 409 for an order that changed since the form was opened, and show the changes.

        The form keeps its input, to be sent again with the new version.
        """
        state = load_order_state(state.tenant, state.document.order.pk)
        [target] = button.target(state, getattr(target, "uuid", None))
        form = button.form(initial=form_data | {"expected_version": state.document.order.version})
        return self._show_form(
            request,
            button,
            state,
            target,
            form,
            status=HTTPStatus.CONFLICT,
            changes=changes_since(state.document.order, form_data["expected_version"]),
            is_possible=button.is_possible(state, target),
        )

    def _state(self, request: HttpRequest, object_id: str) -> OrderState | None:
        """Return the state of an order; None if there is none that this person may see."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not (object_id.isascii() and object_id.isdigit()):
            return None
        rows = self.get_queryset(request).select_related("tenant").only("tenant")
        order: Any = rows.filter(pk=int(object_id)).first()
        return None if order is None else load_order_state(order.tenant, order.pk)

    def _absent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer for an unknown order; another tenant's order gets the same answer."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(
            request, Order._meta, object_id
        )
        return answer

    def _page(
        self, request: HttpRequest, state: OrderState, template: str, extra: dict[str, Any]
    ) -> TemplateResponse:
        order = state.document.order
        context = {
            **self.admin_site.each_context(request),
            "title": order.number,
            "opts": self.opts,
            "original": order,
            "order": order,
            "tenant": state.tenant,
            **extra,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)

    def _buttons(self, request: HttpRequest, state: OrderState) -> Buttons:
        """Return the buttons that are possible now and permitted, by their target."""
        buttons: dict[Target, list[tuple[Button, str]]] = defaultdict(list)
        for button in BUTTONS.values():
            if request.user.has_perm(button.permission):
                for target in button.targets(state):
                    buttons[target].append((button, _action_url(state, button, target)))
        return buttons


def _actions(state: OrderState, buttons: Buttons) -> dict[str, Any]:
    """Return the buttons of the order and its holds, and the reason if it cannot be cancelled."""
    whole = buttons.get(None, ())
    return {
        "buttons": [(b, address) for b, address in whole if b.form is not NoteForm],
        "note_address": next((address for b, address in whole if b.form is NoteForm), ""),
        "note_form": NoteForm(),
        "holds": [_hold(hold, buttons.get(hold, ())) for hold in state.active_holds],
        "why_not_cancelable": state.why_not_cancelable,
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
    """Return the name of the target for the form's title; empty for the whole order."""
    if target is None:
        return ""
    return hold_label(target.kind) if isinstance(target, Hold) else target.product_id


def _why_not(button: Button, state: OrderState) -> str:
    if button.name == "cancel":
        return state.why_not_cancelable
    return f"“{button.label}” is not possible with the order as it is now."


def _action_url(state: OrderState, button: Button, target: Target) -> str:
    key = state.document.order.pk
    if target is None:
        return reverse("admin:orders_order_act", args=[key, button.name])
    return reverse("admin:orders_order_act_on", args=[key, button.name, target.uuid])


def _address(state: OrderState) -> str:
    return reverse("admin:orders_order_change", args=[state.document.order.pk])


def _number(request: HttpRequest, name: str) -> int | None:
    """Return a number of the query string; None if it is absent or invalid."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
