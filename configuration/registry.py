"""How a configuration key is declared: API, OpenAPI, console, CLI and docs derive from it."""

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
    """A setting that is an object: strict types, no unknown members, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Key(Generic[T]):
    """One thing a tenant may set. `T` is what `configuration.services.read` answers."""

    name: str
    label: str  # for a menu or a table
    help: str  # for API, console, CLI and docs
    type: Any  # a pydantic type: validation and JSON Schema
    default: T
    example: Any  # a valid value, as JSON
    unit: str = ""  # of a number
    unset: Any = None  # the default as JSON, where `T` alone cannot say it
    immutable: bool = False  # once set, never again
    growing: str = ""  # the one member of an immutable value that an admin may raise
    secrets: tuple[str, ...] = ()  # members sealed at rest, masked in histories, logs and console
    # What only the tenant and the stored value can tell; returns the value to store.
    settle: Callable[["Tenant", T, T | None], T] = field(default=lambda _tenant, new, _old: new)
    lost_race_name: str = ""  # the contract lets one key use another's name here
    answers_bare: bool = False  # the contract's POST answers without a body
    conflicts_bare: bool = False  # the contract's 409 has no body

    @cached_property
    def adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.type, config=None if _is_model(self.type) else {"strict": True})

    @property
    def operation(self) -> str:
        """What refusals call setting it."""
        return f"{self.name} configuration"

    @property
    def race_name(self) -> str:
        """What the refusal of a lost race calls it."""
        return self.lost_race_name or self.name

    def parse(self, value: Any) -> T:
        """A value from JSON; raises `wire.InvalidBody` with every fault in it."""
        try:
            return self.adapter.validate_python(value)
        except ValidationError as fault:
            raise wire.refusal(fault, value, operation=self.operation) from None

    def has_grown(self, old: T, new: T) -> bool:
        """Return whether the growing member was raised, and nothing else was changed."""
        before, after = self.dump(old), self.dump(new)
        if not self.growing or after[self.growing] <= before[self.growing]:
            return False
        return bool(before | {self.growing: after[self.growing]} == after)

    def dump(self, value: T) -> Any:
        """The value as JSON, secrets in the clear."""
        return self.unset if value is None else self.adapter.dump_python(value, mode="json")

    def masked(self, value: T) -> Any:
        """The value as JSON, secrets masked."""
        return self.mask(self.dump(value))

    def mask(self, document: Any) -> Any:
        if not self.secrets or not isinstance(document, dict):
            return document
        return document | {name: masked(document[name]) for name in self.secrets}


def masked(secret: str) -> str:
    """A secret as people may see it: its last four characters, if that leaves enough unseen."""
    return MASK + (secret[-_VISIBLE_END:] if len(secret) >= _SHORTEST_WITH_END else "")


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)
