"""Templates of ours that stand in for unfold's were written for the unfold that is installed."""

import hashlib
from pathlib import Path

import pytest
import unfold

TEMPLATES = Path(unfold.__file__).parent / "templates"
ORIGINALS = {
    "unfold/layouts/skeleton.html": "66af9f0bb45f98ba",
    "unfold/helpers/navigation_header.html": "35139b9d94580be9",
    "unfold/helpers/navigation_user.html": "4c9ba58b3f215326",
    "unfold/helpers/theme_switch.html": "c8e659df65f5aa78",
    "unfold/helpers/unauthenticated_header.html": "904c823eb0d85052",
    "unfold/helpers/welcomemsg.html": "e8eab02522ba2319",
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_unfolds_original_is_the_one_ours_was_written_for(name: str) -> None:
    """If this fails, unfold changed the file: compare it with ours, then write its new hash."""
    assert hashlib.sha256((TEMPLATES / name).read_bytes()).hexdigest()[:16] == ORIGINALS[name]
