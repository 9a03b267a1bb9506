"""Normal forms of names, and the characters a name may hold."""

import sys
import unicodedata

import pytest

from ordermgmt.values import names

# What Unicode lists as Default_Ignorable_Code_Point and assigns a visible category.
IGNORABLE = [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164]
IGNORABLE += [*range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0)]


def test_what_nobody_sees_is_refused_by_its_category() -> None:
    refused = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        expected = unicodedata.category(letter) in refused or code in (0x2800, *IGNORABLE)
        assert names.has_invisible(f"a{letter}b") == expected, hex(code)


@pytest.mark.parametrize("name", ["café", "Å", "한국", "e\u0301\u0323"])
def test_the_spellings_of_a_name_have_one_normal_form(name: str) -> None:
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}

    assert len({names.normal(form) for form in forms}) == 1
    for form in forms:
        assert forms <= set(names.spellings(form))


def test_names_that_look_different_are_different() -> None:
    assert len({names.normal(name) for name in ("A", "a", "Ａ", "ﬁ", "fi", "²", "2")}) == 7


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("jose\u0301@example.com", "JOSÉ@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BU\u0308CHER.example", "a@bücher.Example"),
    ],
)
def test_an_email_address_has_one_normal_form(one: str, other: str) -> None:
    assert names.normal_email(one) == names.normal_email(other)
    assert names.normal_email(one) in names.email_spellings(other)
    assert set(names.email_spellings(one)) & {other.lower()}


def test_an_email_address_is_normal_whatever_its_domain() -> None:
    assert names.normal_email(f"A@{'ü' * 70}.x") == f"a@{'ü' * 70}.x"
    assert names.normal_email("A@ü..x") == "a@ü..x"
    assert names.normal_email("Ü") == "ü"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ＮＳ０００１", "ns0001"),
        ("Crème BRÛLÉE", "creme brulee"),
        ("straße", "strasse"),
        ("ﬁn", "fin"),
        ("Åse", "ase"),
        ("한국", "한국"),
        ("NS-1", "ns-1"),
    ],
)
def test_search_terms_are_compared_without_case_and_accents(text: str, form: str) -> None:
    assert names.search_form(text) == form
