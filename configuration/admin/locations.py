"""Locations of a tenant in the console."""

from typing import Any, Final

from django.contrib import admin
from django.forms import CharField, ChoiceField, MultipleChoiceField
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from configuration.admin.rows import ChangedByService, VersionedForm
from configuration.models import Location
from configuration.services import locations
from ordermgmt.values import countries


def _line(label: str) -> CharField:
    return CharField(label=label, required=False, max_length=255, widget=UnfoldAdminTextInputWidget)


class LocationForm(VersionedForm):
    """Location form with a field for each address line; other members of the address stay."""

    country_codes = MultipleChoiceField(
        label="Serves countries",
        required=False,
        choices=countries.CHOICES,
        widget=UnfoldAdminSelectMultipleWidget(attrs={"size": 10}),
        help_text="None means all. Hold Ctrl (on a Mac: Command) to choose more than one.",
    )
    country = ChoiceField(
        required=False,
        choices=[("", "–"), *countries.CHOICES],
        widget=UnfoldAdminSelectWidget,
        help_text="Where it stands.",
    )
    address_line_1 = _line("Street and number")
    address_line_2 = _line("Floor, building")
    city = _line("City")
    state = _line("State or province")

    LINES: Final = ("address_line_1", "address_line_2", "city", "state")

    class Meta:
        model = Location
        fields = ["code"]
        labels = {"is_active": "Active"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.LINES:
            self.fields[name].initial = self.instance.address.get(name, "")
        stored = {"country_codes": self.instance.country_codes, "country": [self.instance.country]}
        for name, codes in stored.items():
            field: Any = self.fields[name]
            # Old rows may hold unknown codes, so the form shows what the service refuses.
            unknown = sorted(set(codes) - countries.NAMES.keys() - {""})
            field.choices = [*field.choices, *((code, code) for code in unknown)]


@admin.register(Location)
class LocationAdmin(ChangedByService):
    form = LocationForm
    list_display = ["code", "name", "type", "serves_countries", "priority", "is_active"]
    list_filter = ["type", "is_active"]
    search_fields = ["code__startswith", "name__istartswith"]
    ordering = ["priority", "code"]
    key_fields = ("code",)
    fields = [
        "code",
        "name",
        "type",
        "country_codes",
        "priority",
        "is_active",
        *LocationForm.LINES,
        "zip_code",
        "country",
    ]

    @admin.display(description="Serves")
    def serves_countries(self, row: Location) -> str:
        return ", ".join(row.country_codes) or "everywhere"

    def write(
        self, tenant: Any, row: Location | None, *, expected_version: int, **fields: Any
    ) -> Location:
        address = {} if row is None else row.address
        address |= {name: fields.pop(name) for name in LocationForm.LINES}
        fields["address"] = {name: line for name, line in address.items() if line}
        return locations.put(tenant=tenant, if_match={expected_version}, **fields)
