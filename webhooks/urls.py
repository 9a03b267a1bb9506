"""Where the event routes will be; nothing is served here yet."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
