"""Refusals of the domain, independent of HTTP."""

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
    """The request is wrong for every caller at any time."""

    code = "bad_request"


class Forbidden(DomainError):
    """This caller may not do this."""

    code = "forbidden"


class NotFound(DomainError):
    """The named object does not exist, or not for this caller."""

    code = "not_found"


class Conflict(DomainError):
    """The present state does not allow this."""

    code = "conflict"


class PreconditionFailed(DomainError):
    """The caller or the configuration assumes another state than the present one."""

    code = "precondition_error"


class Unavailable(DomainError):
    """A system we depend on does not answer; the same call may succeed later."""

    code = "external_server_error"


class Misconfigured(DomainError):
    """The tenant's configuration lacks a required part: answered with a documented 500."""

    code = "internal_server_error"
