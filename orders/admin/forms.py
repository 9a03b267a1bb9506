"""What the console asks for before it does something to an order."""

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


class SeenForm(forms.Form):
    """What was decided by looking at an order, which must still be as it was then."""

    expected_version = forms.IntegerField(min_value=1, max_value=_LARGEST, widget=forms.HiddenInput)


class ReasonForm(SeenForm):
    reason = _reason(autofocus=True)


class CancelForm(ReasonForm):
    note = forms.CharField(
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What else is worth keeping.",
    )


class NoteForm(forms.Form):
    """A note contradicts nothing that happened meanwhile, so it is taken whenever it comes."""

    text = forms.CharField(
        label="Note", max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    def clean_text(self) -> str:
        """Browsers end lines as the network does; notes are kept as everybody else's."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")


class BulkForm(forms.Form):
    """The orders somebody chose, and why the same is to be done to all of them."""

    orders = forms.CharField(max_length=250_000, widget=forms.HiddenInput)
    reason = _reason(autofocus=True)

    def clean_orders(self) -> list[int]:
        """The keys of the orders chosen."""
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
