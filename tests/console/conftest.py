"""Tests of the console: here by Django's test client, in `browser/` by chromium on a running stack.

`client.force_login(person)`: the lock against guessed passwords wants a real request.
"""

import pytest
from django.apps import apps
from django.template.loader import get_template
from django.urls import get_resolver

from ordermgmt.console import roles


@pytest.fixture(scope="session", autouse=True)
def loaded() -> None:
    """Views and templates, before a test's transaction begins: a busy machine takes long."""
    assert get_resolver().url_patterns
    get_template("admin/change_list.html")


@pytest.fixture(autouse=True)
def groups(request: pytest.FixtureRequest) -> None:
    """A test in no transaction leaves empty tables: what migrations wrote is gone for the next."""
    mark = request.node.get_closest_marker("django_db")
    if mark and mark.kwargs.get("transaction"):
        request.getfixturevalue("transactional_db")
        roles.write(apps, None)
