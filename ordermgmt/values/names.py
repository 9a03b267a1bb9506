"""Normal forms for comparing names, and the characters a name may hold.

Two spellings that look the same are one name: `é` may be one code point or two. What a caller sent
is kept and answered as it was sent; only comparisons use the forms of this module, and nothing is
folded elsewhere.
"""

import re
import unicodedata
from typing import Final

# Categories of invisible characters and of those without agreed meaning: controls, formats,
# line and paragraph separators, surrogates, private use, unassigned.
_REFUSED: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
# Code points with the property Default_Ignorable_Code_Point outside of those categories, and the
# blank Braille pattern. Python knows the categories only.
_INVISIBLE: Final = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x2800, 0x2800),  # blank Braille pattern
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
        (0xE0100, 0xE01EF),  # variation selectors supplement
    )
    for code in range(first, last + 1)
)
_ASCII_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def has_invisible(text: str) -> bool:
    """Return whether the text has a character that is invisible or without agreed meaning."""
    if text.isascii():
        return _ASCII_CONTROL.search(text) is not None
    return any(letter in _INVISIBLE or unicodedata.category(letter) in _REFUSED for letter in text)


def normal(name: str) -> str:
    """Return the form in which identifiers are compared: NFC. Case counts."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def spellings(name: str) -> list[str]:
    """Return the normal form of an identifier, then other forms in which it may be stored.

    Rows from before names had a normal form hold what was sent; that is NFC, NFD or, rarely, as
    the caller writes it now.
    """
    if name.isascii():
        return [name]
    forms = (normal(name), unicodedata.normalize("NFD", name), name)
    return list(dict.fromkeys(forms))


def normal_email(address: str) -> str:
    """Return the form in which e-mail addresses are compared.

    That is NFC in lower case, with the domain as the domain name system has it (IDNA). A domain
    that has no such form stays in lower case.
    """
    if address.isascii():
        return address.lower()
    local, at, domain = normal(normal(address).lower()).rpartition("@")
    if not at:
        return domain
    try:
        return f"{local}{at}{domain.encode('idna').decode().lower()}"
    except UnicodeError:
        return f"{local}{at}{domain}"


def email_spellings(address: str) -> list[str]:
    """Return the normal form of an e-mail address, then other forms in which it may be stored.

    All are in lower case.
    """
    form = normal_email(address)
    local, at, domain = form.rpartition("@")
    try:
        readable = f"{local}{at}{domain.encode().decode('idna')}"
    except UnicodeError:
        readable = form
    lower_case = address.lower()
    return list(dict.fromkeys([form, *spellings(readable), *spellings(lower_case)]))


def search_form(text: str) -> str:
    """Return the form in which search terms are compared: NFKC, case-folded, without accents."""
    if text.isascii():
        return text.casefold()
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = (
        letter
        for letter in unicodedata.normalize("NFKD", folded)
        if not unicodedata.combining(letter)
    )
    return unicodedata.normalize("NFKC", "".join(bare))
