"""The servers of the test run itself."""

import pytest
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
def test_tests_run_on_a_real_postgresql():
    assert connection.vendor == "postgresql"
    assert connection.pg_version >= 150000


def test_the_cache_is_a_real_valkey():
    cache.set("greeting", "hello", timeout=5)

    assert cache.get("greeting") == "hello"
