"""Secrets at rest open only with a configured key, and only in their own row."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from ordermgmt import encryption
from ordermgmt.encryption import CannotOpen

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()


@pytest.fixture(autouse=True)
def keys(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    return settings


def test_what_is_sealed_opens_in_its_place():
    sealed = encryption.seal(b"s\x00cret", associated_data="a")

    assert encryption.open_sealed(sealed, associated_data="a") == b"s\x00cret"


def test_the_text_shows_nothing_and_is_never_the_same_twice():
    sealed = [encryption.seal(b"canary", associated_data="a") for _ in range(50)]

    assert len(set(sealed)) == 50
    assert not any(b"canary" in base64.urlsafe_b64decode(text.split(".")[2]) for text in sealed)


def test_moved_to_another_place_it_does_not_open():
    sealed = encryption.seal(b"secret", associated_data="tenant:1/api_key")

    with pytest.raises(CannotOpen):
        encryption.open_sealed(sealed, associated_data="tenant:2/api_key")


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_text_does_not_open(position):
    version, key_id, body = encryption.seal(b"a secret of some length", associated_data="a").split(
        "."
    )
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[position % len(raw)] ^= 1
    changed = f"{version}.{key_id}.{base64.urlsafe_b64encode(raw).decode()}"

    with pytest.raises(CannotOpen):
        encryption.open_sealed(changed, associated_data="a")


@pytest.mark.parametrize(
    "text", ["", "secret", "v1.old", "v1.old.", "v1.old.!", "v2.old.AAAA", "v1.old.AAA"]
)
def test_what_was_never_sealed_does_not_open(text):
    with pytest.raises(CannotOpen):
        encryption.open_sealed(text, associated_data="a")


def test_a_new_key_seals_while_the_old_one_still_opens(keys):
    sealed = encryption.seal(b"secret", associated_data="a")

    keys.ENCRYPTION_KEYS = [NEW, OLD]

    assert encryption.open_sealed(sealed, associated_data="a") == b"secret"
    assert encryption.seal(b"secret", associated_data="a").startswith("v1.new.")


def test_resealed_it_needs_the_old_key_no_longer(keys):
    sealed = encryption.seal(b"secret", associated_data="a")
    keys.ENCRYPTION_KEYS = [NEW, OLD]

    resealed = encryption.reseal(sealed, associated_data="a")

    keys.ENCRYPTION_KEYS = [NEW]
    assert encryption.open_sealed(resealed, associated_data="a") == b"secret"
    assert encryption.reseal(resealed, associated_data="a") is resealed
    with pytest.raises(CannotOpen):
        encryption.open_sealed(sealed, associated_data="a")


@pytest.mark.parametrize(
    "ring", [[], ["nokey"], ["a:AAAA"], [OLD, OLD], ["a b:" + OLD[4:]], [":" + OLD[4:]], ["a:é"]]
)
def test_keys_that_are_none_stop_everything(settings, ring):
    settings.ENCRYPTION_KEYS = ring

    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        encryption.seal(b"secret", associated_data="a")
