"""Where the order routes are: product routes 1, 2 and 9 to 16."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
