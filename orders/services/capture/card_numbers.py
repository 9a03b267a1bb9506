"""Telling card numbers from other digits, so that none is ever kept (robustness C23)."""

import re
from typing import Final

# Thirteen to nineteen digits as people write them, and how the numbers of cards begin.
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_ISSUERS: Final = re.compile(r"4|5[1-5]|2[2-7]|3[0-9]|6")


def holds_card_number(text: str) -> bool:
    """Whether some digits in it begin like a card's number and pass the check of one (Luhn)."""
    return any(_is_card(re.sub(r"\D", "", found[0])) for found in _DIGITS.finditer(text))


def _is_card(digits: str) -> bool:
    if not _ISSUERS.match(digits):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0
