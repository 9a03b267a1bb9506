"""Forms of configuration keys: a field for each member of the key's type, converted to JSON."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from unfold import widgets

from configuration.admin.wording import titled
from configuration.registry import Key
from configuration.services import Stored
from ordermgmt.console import typed
from ordermgmt.http.wire import InvalidBody

WHOLE: Final = "value"  # the only field of a key whose type is no object


def _text(schema: dict[str, Any]) -> forms.Field:
    return forms.CharField(strip=True, widget=widgets.UnfoldAdminTextInputWidget)


def _secret(schema: dict[str, Any]) -> forms.Field:
    widget = widgets.UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
    return forms.CharField(strip=True, widget=widget)


def _number(schema: dict[str, Any]) -> forms.Field:
    return forms.IntegerField(
        min_value=schema.get("minimum"),
        max_value=schema.get("maximum"),
        widget=widgets.UnfoldAdminIntegerFieldWidget,
    )


def _switch(schema: dict[str, Any]) -> forms.Field:
    return forms.BooleanField(widget=widgets.UnfoldBooleanSwitchWidget)


def _choices(schema: dict[str, Any]) -> forms.Field:
    return forms.MultipleChoiceField(
        choices=[(choice, choice) for choice in schema["items"]["enum"]],
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget,
    )


def _json(schema: dict[str, Any]) -> forms.Field:
    return forms.JSONField(widget=widgets.UnfoldAdminTextareaWidget)


FIELDS: Final[dict[str, Callable[[dict[str, Any]], forms.Field]]] = {
    "string": _text,
    "integer": _number,
    "boolean": _switch,
    "array": _choices,
}


def members(key: Key[Any]) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each member of a key's type, by name."""
    schema = key.adapter.json_schema()
    properties: dict[str, dict[str, Any]] = schema.get("properties", {WHOLE: schema})
    return properties


class SettingForm(forms.Form):
    """Form of a key's value; a secret's field is empty, and left empty it keeps the secret."""

    # Names that a browser may send besides the members; a preview has no fields for some.
    _BESIDES: Final = frozenset(
        {"csrfmiddlewaretoken", typed.FIELD, "expected_version", "for_good"}
    )

    expected_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, key: Key[Any], stored: Stored[Any], data: Any = None) -> None:
        super().__init__(data, auto_id="id_%s")
        self.key, self._stored = key, stored
        self.fields["expected_version"].initial = stored.version
        masked = key.masked(stored.value)
        self._masked: dict[str, Any] = masked if isinstance(masked, dict) else {WHOLE: masked}
        for name, schema in members(key).items():
            self.fields[name] = self._field(name, schema)
        if key.immutable and stored.version:
            for name in members(key):
                self.fields[name].disabled = name != key.growing
        elif key.immutable:
            self.fields["for_good"] = forms.BooleanField(
                label="Set this for good",
                help_text=f"It can be set once. After that only its {key.growing} can be raised.",
                widget=widgets.UnfoldBooleanWidget,
            )

    def _field(self, name: str, schema: dict[str, Any]) -> forms.Field:
        make = _secret if name in self.key.secrets else FIELDS.get(schema.get("type", ""), _json)
        field = make(schema)
        field.required = False  # the key's type reports missing members itself
        field.label = titled(name) if name != WHOLE else self._label()
        field.help_text = schema.get("description", "")
        if name not in self.key.secrets:
            field.initial = self._masked.get(name, schema.get("default"))
        elif name in self._masked:
            field.help_text += f" Stored: {self._masked[name]}. Leave it empty to keep it."
        return field

    def _label(self) -> str:
        words = self.key.unit or self.key.label
        return words[0].upper() + words[1:]

    def clean(self) -> dict[str, Any]:
        """Parse the value by the key's type, into `cleaned_data["parsed"]`."""
        data = super().clean() or self.cleaned_data
        for name in sorted(self.data.keys() - self.fields.keys() - self._BESIDES):
            self.add_error(None, f"{name[:80]}: the property is not allowed")
        if self.errors:
            return data
        try:
            data["parsed"] = self.key.parse(self._value(data))
        except InvalidBody as refusal:
            for fault in refusal.facts["errors"]:
                name = fault["pointer"].split("/")[1] if fault["pointer"] else WHOLE
                field = name if name in self.fields else self._only()
                missing = field is not None and data.get(field) in (None, "", [])
                self.add_error(field, "This is required." if missing else fault["message"])
        return data

    def _value(self, data: dict[str, Any]) -> Any:
        """Return the fields as JSON; an empty field is an absent member."""
        values = {
            name: self._masked.get(name)
            if name in self.key.secrets and not data[name]
            else data[name]
            for name in members(self.key)
        }
        if WHOLE in values:
            return values[WHOLE]
        return {name: value for name, value in values.items() if value not in (None, "")}

    def _only(self) -> str | None:
        return WHOLE if WHOLE in self.fields else None
