"""Database fields that keep amounts exact: JSONB numbers become decimals, never floats."""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.db import models
from psycopg.types.json import Jsonb

from ordermgmt import strict_json

_decode = json.JSONDecoder(parse_float=Decimal).decode


class AmountField(models.DecimalField):
    """An amount of money, `numeric(18, 4)`; its currency stands beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 18, "decimal_places": 4} | kwargs)


class SnapshotField(models.JSONField):
    """A JSON document that is only written and read whole."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return _decode(value) if isinstance(value, str) else value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        return Jsonb(value, dumps=strict_json.dumps)


def as_stored(document: Any) -> Any:
    """Return the document with object keys in JSONB's order.

    An answer from memory then has the same bytes as one that is read later.
    """
    kind = type(document)
    if kind is dict:
        return {
            name: as_stored(document[name]) if type(document[name]) in _NESTED else document[name]
            for name in _in_order(tuple(document))
        }
    if kind is list:
        return [as_stored(member) for member in document]
    return document


_NESTED: Final = frozenset({dict, list})


@lru_cache(maxsize=4096)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in JSONB's order: by length, then by bytes."""
    return tuple(sorted(names, key=lambda name: (len(name.encode()), name.encode())))
