"""docs/generated/openapi.yaml: the OpenAPI document that the service serves."""

from django.http import HttpRequest

from ordermgmt.http.openapi import document


def openapi() -> str:
    """Return the body of `GET /openapi.yaml`, byte for byte."""
    return document(HttpRequest()).content.decode()
