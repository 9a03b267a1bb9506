"""Template filters of the console: times, actors and the owner field of forms.

Templates load them by `{% load console %}`.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.template import Context, Library
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from ordermgmt.console import typed

register: Final = Library()
_SECRET: Final = ("password", "file")  # input types that `typed` never stores

_STEPS: Final = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
    (timedelta(seconds=1), "s"),
)

# Recorded actors by kind, and their names on screen.
_ACTORS: Final = {
    "staff": "{}",
    "client": "client {}",
    "task": "the clock",
    "command": "the {}",
    "cli": "the command line",
}


@register.filter
def who(actor: str) -> str:
    """Return the display name of an actor: a person, a client, or the clock."""
    kind, _, name = actor.partition(":")
    return _ACTORS[kind].format(name) if kind in _ACTORS else actor


@register.simple_tag(takes_context=True)
def form_owner(context: Context, form: Any = None) -> SafeString:
    """Return the hidden field that lets a form outlive its session; see `typed`."""
    fields = form.fields.items() if form else ()
    secrets = [name for name, field in fields if getattr(field.widget, "input_type", "") in _SECRET]
    value = typed.mark(context["request"].user, secrets)
    return format_html('<input type="hidden" name="{}" value="{}">', typed.FIELD, value)


@register.filter
def moment(at: datetime) -> SafeString:
    """Return a time relative to now as HTML, with the exact time in its title."""
    return format_html(
        '<time datetime="{}" title="{}" class="whitespace-nowrap">{}</time>',
        at.isoformat(),
        exact(at),
        relative(at),
    )


def exact(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def relative(at: datetime) -> str:
    """Return for instance "5 min ago" or "in 2 h"; beyond a month the date."""
    away = at - now()
    if abs(away) > timedelta(days=31):
        return f"{at:%Y-%m-%d}"
    for step, unit in _STEPS:
        if abs(away) >= step:
            number = abs(away) // step
            return f"in {number} {unit}" if away > timedelta() else f"{number} {unit} ago"
    return "now"
