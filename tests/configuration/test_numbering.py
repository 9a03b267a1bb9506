"""Tests of upcoming order numbers, which are computed without drawing any."""

import pytest
from django.db import connection

from configuration import keys, services
from configuration.services import numbering
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


def drawn(tenant):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [services.sequence_name(tenant.pk)])
        return cursor.fetchone()[0]


def test_upcoming_numbers_are_those_that_are_drawn_next():
    tenant = TenantFactory()
    key = keys.SALES_ORDER_GENERATOR_SEQUENCE
    sequence = key.parse({"prefix": "NS", "size": 4, "start": 8, "step": 5})
    services.write(tenant, key, sequence, actor="client:web")

    for _ in range(2):  # twice, because a preview draws nothing
        numbers = numbering.upcoming(tenant, sequence, count=3)
    assert numbers == ["NS0008", "NS0013", "NS0018"]
    assert [sequence.number(drawn(tenant)) for _ in range(3)] == numbers
    assert numbering.upcoming(tenant, sequence, count=1) == ["NS0023"]


def test_numbers_end_with_the_digits():
    sequence = keys.Sequence(size=1, start=4, step=3)

    assert numbering.numbers(sequence, counter=4) == ["4", "7"]
