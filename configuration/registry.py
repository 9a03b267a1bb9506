"""Declaration of configuration keys, from which API, OpenAPI, console, CLI and docs derive."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ordermgmt.errors import NotFound
from ordermgmt.http import wire

if TYPE_CHECKING:
    from configuration.models import Tenant

T = TypeVar("T")
_VISIBLE_END: Final = 4
_SHORTEST_WITH_END: Final = 16
MASK: Final = "•" * 4


class UnknownKey(NotFound):
    code = "not_found"


class Value(wire.Wire):
    """An immutable setting value that is an object, with strict types and no unknown members."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Key(Generic[T]):
    """One configuration key. `T` is the type of the value that `services.read` returns."""

    name: str
    label: str  # for a menu or a table
    help: str  # for API, console, CLI and docs
    type: Any  # a pydantic type: validation and JSON Schema
    default: T
    example: Any  # a valid value, as JSON
    unit: str = ""  # of a numeric value
    unset: Any = None  # JSON of a default that is None
    immutable: bool = False  # it can be set only once
    growing: str = ""  # the one member of an immutable value that an admin may raise
    secrets: tuple[str, ...] = ()  # members sealed at rest, masked in histories, logs and console
    # Validation that needs the tenant and the stored value. Returns the value to store.
    settle: Callable[["Tenant", T, T | None], T] = field(default=lambda _tenant, new, _old: new)
    lost_race_name: str = ""  # the contract uses the name of another key here
    answers_bare: bool = False  # POST answers without a body by the contract
    conflicts_bare: bool = False  # 409 has no body by the contract

    @cached_property
    def adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.type, config=None if _is_model(self.type) else {"strict": True})

    @property
    def operation(self) -> str:
        """Return the name of setting this key, for error messages."""
        return f"{self.name} configuration"

    @property
    def race_name(self) -> str:
        """Return the name of the key in the message of a lost race."""
        return self.lost_race_name or self.name

    def parse(self, value: Any) -> T:
        """Return the value of a JSON document. Raises `wire.InvalidBody` with every error in it."""
        try:
            return self.adapter.validate_python(value)
        except ValidationError as fault:
            raise wire.refusal(fault, value, operation=self.operation) from None

    def has_grown(self, old: T, new: T) -> bool:
        """Return whether the growing member was raised and nothing else was changed."""
        before, after = self.dump(old), self.dump(new)
        if not self.growing or after[self.growing] <= before[self.growing]:
            return False
        return bool(before | {self.growing: after[self.growing]} == after)

    def dump(self, value: T) -> Any:
        """Return the value as JSON with secrets in the clear."""
        return self.unset if value is None else self.adapter.dump_python(value, mode="json")

    def masked(self, value: T) -> Any:
        """Return the value as JSON with masked secrets."""
        return self.mask(self.dump(value))

    def mask(self, document: Any) -> Any:
        if not self.secrets or not isinstance(document, dict):
            return document
        return document | {name: masked(document[name]) for name in self.secrets}


def masked(secret: str) -> str:
    """Return the mask of a secret, with its last four characters if it has at least 16."""
    return MASK + (secret[-_VISIBLE_END:] if len(secret) >= _SHORTEST_WITH_END else "")


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)
