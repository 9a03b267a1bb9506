"""The application, loaded in the process that racers are forked from."""

import django
from django.urls import get_resolver

django.setup()
get_resolver().url_patterns  # noqa: B018  imports every view
