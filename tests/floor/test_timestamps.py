"""The text form of times, in Python and in PostgreSQL."""

import ast
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ordermgmt import strict_json
from ordermgmt.values.timestamps import timestamp, timestamp_sql

SOURCES = Path(__file__).parents[2]
WHOLE = dt.datetime(2024, 5, 1, 12, 0, 36, tzinfo=dt.UTC)
FRACTION = WHOLE.replace(microsecond=5_999)
BERLIN = WHOLE.astimezone(dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    ("at", "options", "text"),
    [
        (WHOLE, {}, "2024-05-01T12:00:36.000000Z"),
        (BERLIN, {}, "2024-05-01T12:00:36.000000Z"),
        (FRACTION, {}, "2024-05-01T12:00:36.005999Z"),
        (WHOLE, {"has_zone": False}, "2024-05-01T12:00:36.000000"),
        (WHOLE, {"timespec": "milliseconds"}, "2024-05-01T12:00:36.000Z"),
        (FRACTION, {"timespec": "milliseconds"}, "2024-05-01T12:00:36.005Z"),
    ],
)
def test_the_form_of_a_time_does_not_depend_on_its_value(
    at: dt.datetime, options: dict[str, Any], text: str
) -> None:
    assert timestamp(at, **options) == text


@pytest.mark.parametrize("at", [WHOLE, BERLIN, FRACTION])
def test_json_has_the_same_form(at: dt.datetime) -> None:
    assert strict_json.dumps([at]).decode() == f'["{timestamp(at)}"]'


@pytest.mark.django_db
@pytest.mark.parametrize("at", [WHOLE, BERLIN, FRACTION])
def test_the_database_writes_events_as_python_does(at: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {timestamp_sql('%s::timestamptz')}", [at])
        [text] = cursor.fetchone()

    assert text == timestamp(at, timespec="milliseconds")


# Where a time is no member of an answer or event, but part of a page, a spreadsheet or a file name.
OTHER_FORMS = {
    "ordermgmt/values/timestamps.py",
    "ordermgmt/console/wording.py",
    "orders/admin/export_columns.py",
    "orders/api/capture_models.py",  # as it has always been stored, which repetitions compare with
    "orders/demo.py",
    "configuration/management/commands/tenant.py",  # the day, in a table
}


def test_nobody_else_writes_times() -> None:
    writing = {
        str(path.relative_to(SOURCES))
        for app in ("ordermgmt", "configuration", "webhooks", "orders")
        for path in (SOURCES / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in ("isoformat", "strftime"))
        or (isinstance(node, ast.Constant) and "to_char(" in str(node.value))
    }
    assert writing == OTHER_FORMS
