"""Saved views of the console's order list."""

from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction

from ordermgmt.errors import Conflict
from orders.models import SavedView

MOST: Final = 30  # of one person, because every list reads them


class TooManyViews(Conflict):
    """The person has the maximum number of saved views."""

    code = "too_many_views"


def save(*, owner: Any, name: str, query: str) -> SavedView:
    """Save a view, and replace one of the same name. Raise `TooManyViews`."""
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=owner.pk)
        others = SavedView.objects.filter(owner=owner).exclude(name=name)
        if others.count() >= MOST:
            raise TooManyViews(f"{MOST} views are kept already; remove one first.")
        view, _ = SavedView.objects.update_or_create(
            owner=owner, name=name, defaults={"query": query}
        )
    return view


def forget(*, owner: Any, name: str) -> None:
    """Delete a view if it exists."""
    SavedView.objects.filter(owner=owner, name=name).delete()
