"""Templates of ours that stand in for unfold's were written for the unfold that is installed."""

import hashlib
from pathlib import Path

import pytest
import unfold
from django.conf import settings

THEIRS = Path(unfold.__file__).parent / "templates"
OURS = settings.BASE_DIR / "templates"
ORIGINALS = {
    "admin/base.html": "2ce9250b3c649e3a",
    "admin/index.html": "9fdb849b7da18ccd",
    "admin/login.html": "13deb7765ce36659",
    "registration/logged_out.html": "cad8c8cf769b9e91",
    "unfold/helpers/add_link.html": "36cc86e42047e012",
    "unfold/helpers/app_list.html": "6ab83ac498b2f50f",
    "unfold/helpers/header_title.html": "b126ed2ab9ca1680",
    "unfold/helpers/navigation_header.html": "35139b9d94580be9",
    "unfold/helpers/navigation_user.html": "4c9ba58b3f215326",
    "unfold/helpers/theme_switch.html": "c8e659df65f5aa78",
    "unfold/helpers/unauthenticated_header.html": "904c823eb0d85052",
    "unfold/helpers/welcomemsg.html": "e8eab02522ba2319",
    "unfold/layouts/skeleton.html": "66af9f0bb45f98ba",
    "unfold/layouts/unauthenticated.html": "768501529f1a8dae",
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_unfolds_original_is_the_one_ours_was_written_for(name: str) -> None:
    """If this fails, unfold changed the file: compare it with ours, then write its new hash."""
    assert hashlib.sha256((THEIRS / name).read_bytes()).hexdigest()[:16] == ORIGINALS[name]


def test_every_template_that_stands_in_for_one_of_unfolds_is_watched() -> None:
    names = {str(file.relative_to(OURS)) for file in OURS.rglob("*.html")}

    assert {name for name in names if (THEIRS / name).exists()} == set(ORIGINALS)
