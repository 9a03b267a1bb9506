"""The log lines of libraries, redacted and in our format."""

from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response


def test_an_answer_of_500_or_more_has_our_own_line_and_not_django_s_too(caplog):
    request = RequestFactory().get("/v0/orders/1")
    log_response("Service Unavailable", response=HttpResponse(status=503), request=request)

    assert not caplog.records


def test_a_traceback_is_kept(caplog):
    request = RequestFactory().get("/v0/orders/1")
    error = LookupError("nobody foresaw it")
    log_response("Failed", response=HttpResponse(status=500), request=request, exception=error)

    assert "nobody foresaw it" in caplog.text
