"""What the domain can refuse, in its own words. No HTTP here."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal the caller can understand and act on.

    Subclass one of the kinds below, next to the code that raises it. `code` is the `error_code`
    of the answer: part of the public contract, it never changes. `facts` become machine-readable
    members of the answer.
    """

    code: ClassVar[str]

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts


class Invalid(DomainError):
    """It makes no sense, whoever asks and whenever."""

    code = "bad_request"


class Forbidden(DomainError):
    """It makes sense, but not from this caller."""

    code = "forbidden"


class NotFound(DomainError):
    """It names something that does not exist, or not for this caller."""

    code = "not_found"


class Conflict(DomainError):
    """It makes sense, but not in the present state."""

    code = "conflict"


class PreconditionFailed(DomainError):
    """The caller, or the configuration, assumes a state that is not so."""

    code = "precondition_error"


class Unavailable(DomainError):
    """Something we depend on does not answer; the same call may succeed later."""

    code = "external_server_error"


class Misconfigured(DomainError):
    """The tenant's set-up lacks what this needs: the contract answers with a documented 500."""

    code = "internal_server_error"
