"""Forms of actions on orders."""

import re
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

_LARGEST: Final = 2**31 - 1
one_line: Final = RegexValidator(re.compile(r"^[^\x00-\x1f\x7f]+\Z"), "Write it on one line.")


def _reason(**attrs: Any) -> forms.CharField:
    return forms.CharField(
        max_length=1024,
        validators=[one_line],
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"} | attrs),
        help_text="Kept in the order's timeline.",
    )


class VersionForm(forms.Form):
    """A form that carries the order version the page showed; the service refuses an older one."""

    expected_version = forms.IntegerField(min_value=1, max_value=_LARGEST, widget=forms.HiddenInput)


class ReasonForm(VersionForm):
    reason = _reason(autofocus=True)


class CancelForm(ReasonForm):
    note = forms.CharField(
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What else is worth keeping.",
    )


class NoteForm(forms.Form):
    """A note without a version, because it conflicts with no other change of the order."""

    text = forms.CharField(
        label="Note", max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    def clean_text(self) -> str:
        """Return the text with LF line ends, because browsers send CRLF."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")


class BulkForm(forms.Form):
    """The selected orders, and the reason for the bulk action."""

    orders = forms.CharField(max_length=250_000, widget=forms.HiddenInput)
    reason = _reason(autofocus=True)

    def clean_orders(self) -> list[int]:
        """Return the keys of the selected orders."""
        text: str = self.cleaned_data["orders"]
        if not re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18})*", text):
            raise forms.ValidationError("Choose the orders on the list.")
        return [int(key) for key in text.split(",")]


class BulkCancelForm(BulkForm):
    note = forms.CharField(
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What else is worth keeping, for every one of them.",
    )
