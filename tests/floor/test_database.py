"""A connection that was lost is noticed before it is used, and costs nobody a request."""

import pytest
from django.db import close_old_connections, connection, connections

from ordermgmt import hot


def end_session(pid: int) -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_session_the_server_ended_is_replaced_before_the_next_request():
    before = session()
    assert connection.is_usable()
    end_session(before)

    assert not connection.is_usable()
    close_old_connections()  # as Django does when a request begins
    assert session() != before


@pytest.mark.django_db(transaction=True)
def test_looking_costs_no_statement(django_assert_num_queries):
    session()
    with django_assert_num_queries(0):
        assert connection.is_usable()


def test_no_connection_is_no_use():
    connection.close()
    assert not connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_the_hot_paths_notice_it_too():
    [(before,)] = hot.rows("SELECT pg_backend_pid()", [])
    end_session(before)

    close_old_connections()  # as at the beginning of each request
    [(after,)] = hot.rows("SELECT pg_backend_pid()", [])

    assert after != before
