"""Wire models: their base class, scalar types, and the refusal of invalid bodies."""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from ordermgmt import strict_json
from ordermgmt.errors import Invalid

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

MOST_FAULTS: Final = 20

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _wrong_type(expected: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_type", "{expected}", {"expected": expected})


def _decimal(value: Any) -> Decimal:
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    raise _wrong_type("number")


def _uuid(value: Any) -> uuid.UUID:
    if type(value) is uuid.UUID:
        return value
    if type(value) is not str:
        raise _wrong_type("string")
    if not _UUID.fullmatch(value):
        raise PydanticCustomError("not_a_uuid", "the value is not a 'uuid'")
    result = uuid.UUID(value)
    if not result.int:  # sent by callers that forgot to fill it in, so it would collide
        raise PydanticCustomError("nil_uuid", "the value is the nil 'uuid', which names nothing")
    return result


def _instant(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if type(value) is not str:
        raise _wrong_type("string")
    if _INSTANT.fullmatch(value):
        try:
            # Nine digits of a second are allowed, six are stored.
            cut = re.sub(r"(\.\d{6})\d+", r"\1", value.upper().replace("Z", "+00:00"))
            return dt.datetime.fromisoformat(cut)
        except ValueError:
            pass
    raise PydanticCustomError(
        "not_an_instant", "the value is not a 'date-time' with seconds and an offset"
    )


def _instant_text(value: str) -> str:
    _instant(value)
    return value


class _AsNumber:
    """Pydantic documents a Decimal as text; ours are numbers, within the limits they have."""

    KEYWORDS: ClassVar = {
        "ge": "minimum",
        "gt": "exclusiveMinimum",
        "le": "maximum",
        "lt": "exclusiveMaximum",
        "multiple_of": "multipleOf",
    }

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        inner: Any = core_schema
        while "schema" in inner:
            inner = inner["schema"]
        limits = {word: inner[name] for name, word in self.KEYWORDS.items() if name in inner}
        return {"type": "number"} | {
            word: int(limit) if limit == int(limit) else float(limit)
            for word, limit in limits.items()
        }


class _Int32:
    """Documents a whole number that fits 32 bits although the model sets it no limit."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema) | {"format": "int32"}


# A whole number of an answer that fits 32 bits.
Int32 = Annotated[int, _Int32()]
# A JSON number, exact. Strings are not numbers.
Number = Annotated[Decimal, BeforeValidator(_decimal), _AsNumber()]
# Any JSON value, stored unchanged.
Anything = Annotated[Any, BeforeValidator(strict_json.checked), WithJsonSchema({})]
# The canonical form only: no braces, no `urn:`, not nil; upper case is taken as lower.
Uuid = Annotated[
    uuid.UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})
]
# RFC 3339 with an offset: a moment, whatever clock the caller reads.
Instant = Annotated[
    dt.datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# The text of an `Instant` in an answer.
InstantText = Annotated[
    str,
    AfterValidator(_instant_text),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _document_aliases(schema: JsonSchemaValue, first: str, *others: str) -> None:
    """Add every other name of a member to the schema of its model.

    A required member with several names is documented as optional and called required in words,
    because code generators do not understand a union of `required` alone.
    """
    members = schema["properties"]
    if first in schema.get("required", ()):
        schema["required"].remove(first)
        if not schema["required"]:
            del schema["required"]
        names = " or ".join(f"`{name}`" for name in (first, *others))
        members[first] = {
            "anyOf": [members[first], {"type": "null"}],
            "description": f"Required: {names}.",
        }
    for other in others:
        members[other] = members[first] | {"description": f"Another name of `{first}`."}


@dataclass(frozen=True, slots=True)
class Matches:
    """Annotates a text that must match a regular expression, with the words to refuse others.

    Pydantic's own message repeats the expression, which nobody who calls us can read.
    """

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        matching = core_schema.str_schema(pattern=self.pattern)
        worded = core_schema.custom_error_schema(matching, "form", custom_error_message=self.words)
        return core_schema.chain_schema([handler(source), worded])

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Document the expression, which programs can read."""
        return handler(schema) | {"pattern": self.pattern}


class InvalidBody(Invalid):
    """The body is JSON, but not what this operation takes."""

    code: ClassVar[str] = "bad_request"


class Wire(BaseModel):
    """A JSON object as it travels. Unknown keys are ignored; types are strict.

    "12" is no number and 1 is no boolean. Use `Number`, `Uuid` and `Instant` above for those, and
    `Literal[…]` for a choice; an Enum needs `Field(strict=False)`.
    """

    model_config = ConfigDict(
        strict=True, extra="ignore", populate_by_name=True, use_attribute_docstrings=True
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if _names(cls) and not issubclass(cls, AliasedWire):
            raise TypeError(f"{cls.__name__} has members with two names: derive from AliasedWire.")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Document every accepted name of a member; pydantic documents only the first."""
        schema = handler(core_schema)
        if handler.mode == "serialization":
            return schema
        resolved = handler.resolve_ref_schema(schema)
        for field in cls.model_fields.values():
            if isinstance(field.validation_alias, AliasChoices):
                _document_aliases(resolved, *map(str, field.validation_alias.choices))
        return schema

    @classmethod
    def of(cls, request: "Request | HttpRequest", *, operation: str) -> Self:
        """Return the parsed body of `request`, parsed once.

        Raise `strict_json.InvalidJson`, or `InvalidBody` in the documented wording: "Validation of
        capture order failed with error: 'items' is a required property."
        """
        return cls.check(strict_json.loads_tolerant(request.body), operation=operation)

    @classmethod
    def check(cls, value: Any, *, operation: str) -> Self:
        """Return the model of a parsed value; raise `InvalidBody` as `of` does."""
        try:
            return cls.model_validate(value)
        except ValidationError as fault:
            raise refusal(fault, value, operation=operation) from None


def _names(model: type[BaseModel]) -> list[list[str]]:
    """Return the names of each member that may be sent by several."""
    aliases = [field.validation_alias for field in model.model_fields.values()]
    return [
        [str(name) for name in alias.choices]
        for alias in aliases
        if isinstance(alias, AliasChoices)
    ]


class AliasedWire(Wire):
    """A JSON object some of whose members have several names: the first that is not null counts."""

    _members: ClassVar[list[list[str]]] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls._members = _names(cls)

    @model_validator(mode="before")
    @classmethod
    def _without_null_names(cls, value: Any) -> Any:
        if type(value) is dict:
            for first, *others in cls._members:
                if first in value and value[first] is None:
                    nulls = {name for name in (first, *others) if value.get(name) is None}
                    if len(nulls) <= len(others):
                        value = {key: part for key, part in value.items() if key not in nulls}
        return value


def refusal(
    fault: ValidationError, value: Any, *, operation: str
) -> InvalidBody | strict_json.InvalidJson:
    """Return the refusal of `value` for `fault`. It never repeats a value."""
    for error in fault.errors(include_url=False):
        if isinstance(error["input"], strict_json.Unreadable):
            return error["input"].refusal
    unique = dict.fromkeys(_faults(fault, value))  # members of a union may say the same
    faults = list(unique)[:MOST_FAULTS]
    sentence = f"Validation of {operation} failed with error: {{}}."
    messages = [sentence.format(f"{path}: {text}" if path else text) for path, _, text in faults]
    return InvalidBody(
        messages[0],
        messages=messages,
        errors=[{"pointer": pointer, "message": text} for _, pointer, text in faults],
    )


def _faults(fault: ValidationError, value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield dotted path, JSON pointer and message of each fault."""
    for error in fault.errors(include_url=False):
        keys = _path(error, value)
        pointer = "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)
        if error["type"] == "missing":
            keys = keys[:-1]
        words = WORDS.get(error["type"], _as_is)
        yield ".".join(map(str, keys)), pointer, words(error)


def _path(error: ErrorDetails, value: Any) -> list[str | int]:
    """Return the fault's path in the body: pydantic's location without its union tags."""
    path: list[str | int] = []
    for key in error["loc"]:
        members: Any = value if isinstance(value, dict if isinstance(key, str) else list) else {}
        try:
            value = members[key]
        except LookupError:
            continue
        path.append(key)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return path


def _json_type(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def _type(expected: str) -> Callable[[ErrorDetails], str]:
    return lambda error: f"{_json_type(error['input'])} is not of type '{expected}'"


def _limit(words: str) -> Callable[[ErrorDetails], str]:
    return lambda error: words.format(**error.get("ctx", {}))


def _one_of(error: ErrorDetails) -> str:
    expected = error["ctx"].get("expected") or error["ctx"]["expected_tags"]
    return f"the value is not one of [{expected.replace(' or ', ', ')}]"


def _as_is(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ").rstrip(".")


# Pydantic's error types in the words of JSON Schema's validators: docs/contract.md.
WORDS: Final[dict[str, Callable[[ErrorDetails], str]]] = {
    "missing": lambda error: f"'{error['loc'][-1]}' is a required property",
    "wrong_type": lambda error: _type(error["msg"])(error),
    **dict.fromkeys(["model_type", "model_attributes_type", "dict_type"], _type("object")),
    **dict.fromkeys(["list_type", "tuple_type", "set_type"], _type("array")),
    **dict.fromkeys(["string_type", "string_sub_type"], _type("string")),
    **dict.fromkeys(["int_type", "int_from_float", "int_parsing"], _type("integer")),
    **dict.fromkeys(["float_type", "decimal_type"], _type("number")),
    **dict.fromkeys(["bool_type", "bool_parsing"], _type("boolean")),
    "none_required": _type("null"),
    **dict.fromkeys(["literal_error", "enum", "union_tag_invalid"], _one_of),
    "union_tag_not_found": _limit("{discriminator} is a required property"),
    "greater_than_equal": _limit("the value is less than the minimum of {ge}"),
    "greater_than": _limit("the value is less than or equal to the minimum of {gt}"),
    "less_than_equal": _limit("the value is greater than the maximum of {le}"),
    "less_than": _limit("the value is greater than or equal to the maximum of {lt}"),
    "multiple_of": _limit("the value is not a multiple of {multiple_of}"),
    "decimal_max_places": _limit("the value has more than {decimal_places} decimals"),
    "string_too_short": _limit("the value is too short: at least {min_length} characters"),
    "string_too_long": _limit("the value is too long: at most {max_length} characters"),
    "too_short": _limit("the value is too short: at least {min_length} elements"),
    "too_long": _limit("the value is too long: at most {max_length} elements"),
    "string_pattern_mismatch": lambda _: "the value does not have the documented form",
    "extra_forbidden": lambda _: "the property is not allowed",
}
