"""Conformance of the OpenAPI document and the service: addresses, examples, answers."""

import copy
import io
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator, FormatChecker
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from ordermgmt.wsgi import handler
from tests.api.routes import Route, api_routes, plain_addresses
from tests.corpus.target import Target

# Addresses for people and probes.
UNDOCUMENTED = {"healthz", "readyz", "metrics", "openapi.yaml", "docs/", "static/<path:path>"}
CONFORMANCE = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@cache
def document() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(Browser().get("/openapi.yaml").content)
    return parsed


def documented(route: Route) -> tuple[str, str]:
    """Return the route's path and method in the document, which omits a final slash."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.pattern).removesuffix("/")
    return path, route.method.lower()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def test_every_route_is_documented_and_nothing_else() -> None:
    paths = {
        (path, method)
        for path, item in document()["paths"].items()
        for method in item.keys() & {"get", "post", "put", "patch", "delete", "head", "options"}
    }
    assert paths == {documented(route) for route in api_routes()}


def test_every_other_address_is_one_that_needs_no_document() -> None:
    assert plain_addresses() == UNDOCUMENTED


def test_it_is_valid_and_has_no_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every request and response body of an operation, with its status and media type."""
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {media}", body
    for status, response in operation["responses"].items():
        for media, body in response.get("content", {}).items():
            yield f"{status} {media}", body


def test_every_example_is_what_its_schema_says() -> None:
    examples = 0
    for name, operation in operations():
        for where, body in bodies(operation):
            schema = body["schema"] | {"components": document()["components"]}
            validator = Draft202012Validator(schema, format_checker=FormatChecker())
            for example in body.get("examples", {}).values():
                faults = [fault.message for fault in validator.iter_errors(example["value"])]
                assert not faults, (name, where)
                examples += 1
    assert examples > 40


def test_every_operation_says_what_it_answers_when_all_is_well() -> None:
    for name, operation in operations():
        assert any(status.startswith("2") for status in operation["responses"]), name
        assert operation["summary"], name
        assert operation["operationId"], name


def test_what_only_version_1_of_the_history_answers_is_documented_as_such() -> None:
    answers = document()["paths"]["/v0/orders"]["get"]["responses"]

    remarks = {status for status, one in answers.items() if "version 1" in one["description"]}
    assert remarks == {"404", "409", "412"}


@cache
def schema() -> Any:
    """Return the document without `default`, because that would document every status."""
    strict = copy.deepcopy(document())
    for item in strict["paths"].values():
        for operation in item.values():
            del operation["responses"]["default"]
    return schemathesis.openapi.from_dict(strict)


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Keep the connection after a request, because closing it ends the test's transaction."""
    document()  # before, because the test client reconnects the signals
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", api_routes(), ids=str)
def test_S47_whatever_is_sent_the_answer_is_documented(route: Route, mode: GenerationMode) -> None:
    """Send valid and invalid requests, always the same ones."""
    target = Target()
    path, method = documented(route)
    operation = schema()[path][method.upper()]
    operation.app = operation.schema.app = handler  # no request slot: the test's transaction
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
        return  # it has no input to be wrong
    headers = {k: v for k, v in target.always.items() if route.takes_credentials}
    if route.is_akinons:
        headers["Authorization"] = target.headers["Authorization"].replace("Bearer", "Token")

    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attack(case: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of the generator
            response = case.call(headers=headers)
        assert response.status_code < 500, response.content
        if response.status_code == 405 and mode is GenerationMode.NEGATIVE:
            return  # an invalid path parameter can lead to another route
        case.validate_response(response, checks=CONFORMANCE)

    attack()
