"""Card number detection, so that no card number is stored."""

import re
from typing import Final

# Thirteen to nineteen digits with optional separators, and the prefixes of card issuers.
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_ISSUERS: Final = re.compile(r"4|5[1-5]|2[2-7]|3[0-9]|6")


def holds_card_number(text: str) -> bool:
    """Return whether the text has digits with an issuer's prefix and a valid Luhn checksum."""
    return any(_is_card(re.sub(r"\D", "", match[0])) for match in _DIGITS.finditer(text))


def _is_card(digits: str) -> bool:
    if not _ISSUERS.match(digits):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0
