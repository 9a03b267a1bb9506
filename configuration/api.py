"""Configuration routes: one viewset, and one route with its own schemas for each key."""

import datetime as dt
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import create_model
from rest_framework.request import Request
from rest_framework.response import Response

from configuration import services
from configuration.keys import KEYS
from configuration.registry import Key
from configuration.services import Stored
from ordermgmt.http.api import ApiViewSet, tag_version
from ordermgmt.http.openapi import Wire, problems

READ: Final = "newstore:configuration:read"
WRITE: Final = "newstore:configuration:write"
_SAMPLE_TIME: Final = "2021-07-13T20:18:25.000000Z"


class SettingViewSet(ApiViewSet):
    """Read or set one key of one tenant (docs/contract.md, Configuration)."""

    key: ClassVar[Key[Any]]
    body: ClassVar[type[Wire]]
    required_scopes = {"GET": [READ], "POST": [WRITE]}

    def retrieve(self, request: Request) -> Response:
        grant: Any = request.auth
        stored = services.read(self.tenant, self.key)
        return self._answer(stored, in_the_clear=WRITE in grant.scopes)

    def create(self, request: Request) -> Response:
        command: Any = self.body.of(request, operation=self.key.operation)
        stored = services.write(
            self.tenant,
            self.key,
            command.value,
            actor=self.client.actor,
            if_match=_versions(request.META.get("HTTP_IF_MATCH")),
        )
        return self._answer(stored, in_the_clear=True, bare=self.key.answers_bare)

    def _answer(self, stored: Stored[Any], *, in_the_clear: bool, bare: bool = False) -> Response:
        as_json = self.key.dump if in_the_clear else self.key.masked
        body = {"value": as_json(stored.value), "updated_at": stored.updated_at}
        return Response(None if bare else body, headers={"ETag": f'"{stored.version}"'})


def _versions(if_match: str | None) -> set[int] | None:
    """Return the versions that If-Match allows, None for any. Ignore tags that are not ours."""
    if if_match is None or if_match.strip() == "*":
        return None
    versions = map(tag_version, if_match.split(","))
    return {version for version in versions if version is not None}


def _viewset(key: Key[Any]) -> type[SettingViewSet]:
    """Return the viewset of one key, documented with the types and examples of the key."""
    name = key.name.title().replace("_", "")
    body = create_model(f"Set{name}", __base__=Wire, value=(key.type, ...))
    answer_type = key.type if key.default is not None or key.unset is not None else key.type | None
    answer = create_model(
        f"{name}Setting",
        __base__=Wire,
        value=(answer_type, ...),
        updated_at=(dt.datetime | None, ...),
    )
    return type(
        f"{name}ViewSet",
        (SettingViewSet,),
        {
            "__doc__": key.help,
            "key": key,
            "body": body,
            "bodiless": {"POST": [409]} if key.conflicts_bare else {},
            # Each class needs its own functions, because the documentation is attached to them.
            "retrieve": _documented_get(key, answer),
            "create": _documented_post(key, body, answer),
        },
    )


def _documented_get(key: Key[Any], answer: type[Wire]) -> Any:
    def retrieve(view: SettingViewSet, request: Request) -> Response:
        return SettingViewSet.retrieve(view, request)

    masked = " A token that may not write configuration sees secrets masked." * bool(key.secrets)
    return extend_schema(
        operation_id=f"get_{key.name}",
        summary=f"Get {key.label}",
        description=f"{key.help} A key that was never set has its default and no"
        f" `updated_at`.{masked}",
        tags=["configuration"],
        responses={
            200: OpenApiResponse(answer, f"{_sentence_case(key.label)}.", [_answer_example(key)]),
            **problems(404),  # documented for a key that does not exist
        },
    )(retrieve)


def _documented_post(key: Key[Any], body: type[Wire], answer: type[Wire]) -> Any:
    def create(view: SettingViewSet, request: Request) -> Response:
        return SettingViewSet.create(view, request)

    lost = f"Concurrent update detected on {key.race_name} configuration setting."
    conflicts = {} if key.conflicts_bare else {409: {services.LostRace.code: lost}}
    if key.immutable:
        conflicts[409][services.AlreadySet.code] = f"The {key.name} configuration is set once."
    return extend_schema(
        operation_id=f"set_{key.name}",
        summary=f"Set {key.label}",
        description=key.help,
        tags=["configuration"],
        parameters=[
            OpenApiParameter(
                "If-Match",
                str,
                OpenApiParameter.HEADER,
                description="The ETag of the value to replace; 412 if the value has changed since.",
            )
        ],
        request=body,
        examples=[OpenApiExample(key.name, {"value": key.example}, request_only=True)],
        responses={
            200: OpenApiResponse(description="The value is set; the answer has no body.")
            if key.answers_bare
            else OpenApiResponse(answer, "The value is set.", [_answer_example(key)]),
            **problems(400, 412, examples=conflicts),
        },
    )(create)


def _sentence_case(label: str) -> str:
    return label[:1].upper() + label[1:]


def _answer_example(key: Key[Any]) -> OpenApiExample:
    return OpenApiExample(
        f"{key.name} as set",
        {"value": key.example, "updated_at": _SAMPLE_TIME},
        response_only=True,
    )


VIEWSETS: Final = {name: _viewset(key) for name, key in KEYS.items()}
