"""URL patterns of event routes, none so far."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
