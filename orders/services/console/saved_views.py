"""Views of the console's order list that people keep under a name of their own."""

from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction

from ordermgmt.errors import Conflict
from orders.models import SavedView

MOST: Final = 30  # a person's: they are read with every list


class TooManyViews(Conflict):
    """A person has as many views as fit beside a list."""

    code = "too_many_views"


def save(*, owner: Any, name: str, query: str) -> SavedView:
    """Keep a view; one of this name is replaced. Raises `TooManyViews`."""
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
    """Keep it no longer; one that is not there is gone already."""
    SavedView.objects.filter(owner=owner, name=name).delete()
