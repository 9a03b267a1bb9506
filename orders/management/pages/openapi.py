"""docs/generated/openapi.yaml: the document the service itself serves."""

from django.http import HttpRequest

from ordermgmt.http.openapi import document


def openapi() -> str:
    """Byte for byte what `GET /openapi.yaml` answers."""
    return document(HttpRequest()).content.decode()
