"""Forms made from a key's type: a field for each member, JSON for what has no field of its own."""

from typing import Annotated, Any

import pytest
from django import forms
from pydantic import Field

from configuration.admin import wording
from configuration.admin.setting_forms import SettingForm
from configuration.registry import Key, Value
from configuration.services import Stored


class Parcel(Value):
    weight: Annotated[int, Field(ge=1, le=30, description="Kilograms.")] = 5
    is_fragile: bool = False
    label: str
    limits: dict[str, int] = {}


def key(type_: Any = Parcel, **said: Any) -> Key[Any]:
    named = {"name": "parcel", "label": "the parcel", "help": "", "default": None, "example": None}
    return Key(type=type_, **named | said)


def form(asked: Any = None, **said: Any) -> SettingForm:
    return SettingForm(key(**said), Stored(None, 0, None), asked)


def test_each_member_has_the_field_of_its_type_with_its_help_and_default():
    fields = form().fields

    kinds = {name: type(field) for name, field in fields.items()}
    assert kinds == {
        "expected_version": forms.IntegerField,
        "weight": forms.IntegerField,
        "is_fragile": forms.BooleanField,
        "label": forms.CharField,
        "limits": forms.JSONField,
    }
    assert (fields["weight"].min_value, fields["weight"].max_value) == (1, 30)
    assert (fields["weight"].initial, fields["weight"].help_text) == (5, "Kilograms.")


def test_what_is_sent_becomes_the_keys_own_value():
    sent = {
        "expected_version": 0,
        "weight": "7",
        "is_fragile": "on",
        "label": "A",
        "limits": '{"DE": 3}',
    }

    filled = form(sent)

    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["parsed"] == Parcel(
        weight=7, is_fragile=True, label="A", limits={"DE": 3}
    )


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({}, "label", "This is required."),
        ({"label": "A", "weight": "x"}, "weight", "Enter a whole number."),
        ({"label": "A", "limits": "{"}, "limits", "Enter a valid JSON."),
        ({"label": "A", "limits": '{"DE": "x"}'}, "limits", "a string is not of type 'integer'"),
    ],
)
def test_a_fault_stands_beside_its_field(sent, field, words):
    assert form({"expected_version": 0} | sent).errors == {field: [words]}


def test_a_type_that_is_no_object_has_one_field_named_as_the_key():
    one = form({"expected_version": 0, "value": '["a"]'}, type_=list[str] | None)

    assert one.fields["value"].label == "The parcel"
    assert one.is_valid()
    assert one.cleaned_data["parsed"] == ["a"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (59, "59 seconds"),
        (900, "900 seconds (15 min)"),
        (90061, "90,061 seconds (1 d 1 h 1 min 1 s)"),
    ],
)
def test_a_duration_is_said_in_units_people_use(seconds, words):
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "–"),
        ("", "–"),
        (["a", "b"], "a, b"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_values_are_worded(value, words):
    assert wording.as_text(value) == words


def test_a_change_tells_only_what_differs():
    told = wording.differences({"a_url": "x", "b": 1, "c": 2}, {"a_url": "y", "b": 1, "d": True})

    assert told == [("A URL", "x", "y"), ("C", "2", "–"), ("D", "not set", "yes")]
