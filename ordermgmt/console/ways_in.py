"""Sign-in to the console: a password, then a code; a phone is enrolled at the first sign-in."""

from collections.abc import Callable
from typing import Any, Final

import segno
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as otp_login
from unfold.widgets import UnfoldAdminTextInputWidget

from ordermgmt.console import errors, guessing, second_factor
from ordermgmt.errors import DomainError

AUTOFILL: Final = {
    "autocomplete": "one-time-code",
    "autofocus": True,
    "autocapitalize": "none",
    "spellcheck": "false",
}


class CodeForm(forms.Form):
    code = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget(attrs=AUTOFILL))


def may_enter(user: Any) -> bool:
    """True if the person works here and has given every factor required of them."""
    return works_here(user) and (user.is_verified() or not second_factor.is_required(user))


def works_here(user: Any) -> bool:
    """True for an operator, and for staff of an active tenant."""
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return False
    membership = getattr(user, "membership", None)
    return bool(user.is_superuser if membership is None else membership.tenant.is_active)


def guarded(sign_in: Callable[[], HttpResponseBase], request: HttpRequest) -> HttpResponseBase:
    """Run a sign-in by password; answer 429 after too many failures, or if another one is running.

    A person without a second factor has the device remembered at once.
    """
    if guessing.is_tired_of(guessing.origin_of(request)):
        return errors.page(429)
    with guessing.one_at_a_time(request) as alone:
        response = sign_in() if alone else errors.page(429, errors.ONE_AT_A_TIME)
    is_done = response.status_code == 302 and works_here(request.user)
    if is_done and not second_factor.is_required(request.user):
        guessing.remember_device(request, response, request.user)
    return response


@never_cache
@csrf_protect
@sensitive_post_parameters()
def second_factor_view(request: HttpRequest, site: Any) -> HttpResponseBase:
    """Show the code page or the enrollment; redirect people who need neither."""
    if not works_here(request.user) or may_enter(request.user):
        return HttpResponseRedirect(_next(request))
    enrolled = second_factor.is_enrolled(request.user)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        step = _verified if enrolled else _enrolled
        try:
            return step(request, site, form.cleaned_data["code"])
        except DomainError as refusal:
            form.add_error("code", str(refusal))
    if enrolled:
        return _page(request, site, "code", "Your code", form=form)
    offer = second_factor.offer(request.user)
    drawing = segno.make(offer.uri, error="m").svg_inline(border=2, omitsize=True, dark="#000")
    return _page(request, site, "enroll", "Enroll your phone", form=form, offer=offer, qr=drawing)


def _verified(request: HttpRequest, site: Any, code: str) -> HttpResponse:
    response = HttpResponseRedirect(_next(request))
    _let_in(request, response, second_factor.verify(request.user, code=code))
    return response


def _enrolled(request: HttpRequest, site: Any, code: str) -> HttpResponse:
    """Enroll the phone, and show its recovery codes once, in an uncached answer to a POST."""
    device, codes = second_factor.confirm(request.user, code=code)
    page = _page(request, site, "recovery_codes", "Your recovery codes", codes=codes)
    _let_in(request, page, device)
    return page


def _let_in(request: HttpRequest, response: HttpResponse, phone: Any) -> None:
    """Mark the session as verified under a new session key, and remember the device."""
    otp_login(request, phone)
    request.session.cycle_key()
    guessing.remember_device(request, response, request.user)


def _page(
    request: HttpRequest, site: Any, template: str, title: str, **context: Any
) -> TemplateResponse:
    context = {
        **site.each_context(request),
        "title": title,
        "next": _next(request),
        "field": REDIRECT_FIELD_NAME,
        **context,
    }
    return TemplateResponse(request, f"console/{template}.html", context)


def _next(request: HttpRequest) -> str:
    """Return the page to open after the sign-in; the index for another site's address."""
    wanted = str(request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, ""))
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("admin:index")
