"""Rules of the OpenAPI document that code generators depend on."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.api.test_openapi import bodies, document, operations

# Version 1 prints these without a zone or in the external OMS's format; version 2 has a date-time.
TIMES_OF_VERSION_1 = {
    ("OrderDetail", "placed_at"),
    ("CapturedOrder", "placed_at"),
    ("ExternalDetail", "placed_at"),
    ("HistoryOrderV1", "placed_at"),
}
TIME = re.compile(r"(_at|_date|date_placed|^at)$")
# Members of Akinon's API that are always null.
ALWAYS_NULL = {("AkinonOrder", "invoice_date")}

Node = dict[str, Any]
Place = tuple[str | int, ...]


def nodes(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every value of the document with its place, without examples."""
    yield place, value
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in ("example", "examples") or place[-1:] == ("properties",):
                yield from nodes(member, (*place, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from nodes(member, (*place, number))


def faults(is_wrong: Callable[[Place, Node], bool]) -> list[Place]:
    """Return the places of the objects that break a rule."""
    return [
        place
        for place, node in nodes(document())
        if isinstance(node, dict) and is_wrong(place, node)
    ]


def properties() -> Iterator[tuple[str, str, Node]]:
    """Yield component, name and schema of every property."""
    for component, schema in document()["components"]["schemas"].items():
        for name, part in schema.get("properties", {}).items():
            yield component, name, part


def branches(schema: Node) -> list[Node]:
    """Return the members of a union, or the schema itself if it is none."""
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def test_every_request_body_is_required() -> None:
    required = {
        name: operation["requestBody"].get("required")
        for name, operation in operations()
        if "requestBody" in operation
    }
    assert len(required) > 20
    assert set(required.values()) == {True}, required


def test_every_request_body_has_one_media_type() -> None:
    """The code that openapi-python-client generates for two cannot be imported."""
    for name, operation in operations():
        if "requestBody" in operation:
            assert len(operation["requestBody"]["content"]) == 1, name


def test_a_form_has_members_of_its_own() -> None:
    for name, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if form := content.get("application/x-www-form-urlencoded"):
            component = form["schema"]["$ref"].rpartition("/")[2]
            assert document()["components"]["schemas"][component]["properties"], name


def test_no_union_consists_of_required_members_alone() -> None:
    def is_wrong(place: Place, node: Node) -> bool:
        return any(
            set(branch) == {"required"}
            for union in ("anyOf", "oneOf", "allOf")
            for branch in node.get(union, ())
            if isinstance(branch, dict)
        )

    assert not faults(is_wrong)


def test_required_members_exist() -> None:
    def is_wrong(place: Place, node: Node) -> bool:
        required = node.get("required")
        return isinstance(required, list) and not set(required) <= set(node.get("properties", ()))

    assert not faults(is_wrong)
    assert not faults(lambda place, node: node.get("required") == [])


def test_no_member_is_null_and_nothing_else() -> None:
    wrong = faults(
        lambda place, node: node.get("type") == "null" and place[-2:-1] not in (("anyOf",),)
    )
    wrong += faults(
        lambda place, node: (
            "anyOf" in node and all(branch.get("type") == "null" for branch in node["anyOf"])
        )
    )
    assert not wrong


def test_no_default_is_empty() -> None:
    """Generators disagree: some send an omitted default, others require it."""
    assert not faults(
        lambda place, node: (
            place[:1] == ("components",)
            and place[-1:] != ("properties",)
            and "default" in node
            and not node["default"]
        )
    )


def test_every_default_fits_its_schema() -> None:
    defaults = 0
    for place, node in nodes(document()):
        if isinstance(node, dict) and "default" in node and "responses" not in place[-1:]:
            assert Draft202012Validator(node).is_valid(node["default"]), place
            defaults += 1
    assert defaults > 5


def test_every_integer_has_a_format_that_holds_it() -> None:
    integers = 0
    for place, node in nodes(document()):
        if isinstance(node, dict) and node.get("type") == "integer":
            integers += 1
            assert node.get("format") in ("int32", "int64"), place
            if node["format"] == "int32":
                for limit in ("minimum", "maximum", "default"):
                    assert abs(node.get(limit, 0)) < 2**31, place
    assert integers > 20


def test_every_time_is_a_date_time() -> None:
    times = [entry for entry in properties() if TIME.search(entry[1])]
    assert len(times) > 20
    for component, name, schema in times:
        place = (component, name)
        if place in ALWAYS_NULL:
            continue
        formats = {b.get("format") for b in branches(schema) if b.get("type") == "string"}
        assert formats == (set() if not formats else {"date-time"}) or (
            place in TIMES_OF_VERSION_1 and formats == {None}
        ), place
        assert formats, place


def test_what_version_1_prints_without_a_zone_has_a_sibling_that_is_a_date_time() -> None:
    named = {(component, name): schema for component, name, schema in properties()}
    for component, name in TIMES_OF_VERSION_1 - {("HistoryOrderV1", "placed_at")}:
        assert named[f"{component}V2", name]["format"] == "date-time"


def test_every_operation_has_an_answer_for_whatever_else_happens() -> None:
    for name, operation in operations():
        for status in ("500", "default"):
            answer = operation["responses"][status]
            assert answer["description"], name
            assert "application/problem+json" in answer["content"], (name, status)


def test_what_the_contract_documents_is_there() -> None:
    paths = document()["paths"]
    for key in (
        "sales_order_generator_sequence",
        "on_hold_timer_duration",
        "cancellation_allowed_from",
        "big_sales_order",
    ):
        assert "404" in paths[f"/v0/config/sales_order/{key}"]["get"]["responses"]


def test_the_document_names_a_server() -> None:
    """The server is the address that served the document."""
    (server,) = document()["servers"]
    assert server["url"] == "/"
    assert server["description"]


def test_every_operation_says_which_credentials_it_takes() -> None:
    schemes = document()["components"]["securitySchemes"]
    named = set()
    for name, operation in operations():
        assert "security" in operation, name
        for requirement in operation["security"]:
            assert requirement, name
            named |= set(requirement)
            for scheme, scopes in requirement.items():
                for flow in schemes[scheme].get("flows", {}).values():
                    assert set(scopes) <= set(flow["scopes"]), name
    assert named == set(schemes)


def test_a_scheme_has_one_flow() -> None:
    schemes = document()["components"]["securitySchemes"].values()
    flows = [list(scheme["flows"]) for scheme in schemes if scheme["type"] == "oauth2"]
    assert sorted(flows) == [["clientCredentials"], ["password"]]


def test_no_address_ends_in_a_slash() -> None:
    assert not [path for path in document()["paths"] if path.endswith("/")]


def test_every_model_is_a_component_of_its_own() -> None:
    """Generators name the class of a model after its component."""
    assert not faults(
        lambda place, node: (
            node.get("type") == "object"
            and isinstance(node.get("properties"), dict)
            and place[:2] + place[3:] != ("components", "schemas")
        )
    )


def test_operation_ids_are_unique() -> None:
    ids = Counter(operation["operationId"] for _, operation in operations())
    assert max(ids.values()) == 1


def test_no_word_is_doubled() -> None:
    doubled = re.compile(r"\b(\w+)\s+\1\b", re.IGNORECASE)
    wrong = [
        place
        for place, value in nodes(document())
        if isinstance(value, str) and doubled.search(value)
    ]
    assert not wrong


def closed(value: Any) -> Any:
    """Return the schema with undocumented members forbidden, so that examples have none."""
    if isinstance(value, list):
        return [closed(member) for member in value]
    if not isinstance(value, dict):
        return value
    schema = {name: closed(member) for name, member in value.items()}
    if value.get("type") == "object" and isinstance(value.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    return schema


@pytest.fixture(scope="module")
def closed_components() -> Any:
    return closed(document()["components"])


def test_every_example_fits_one_branch_of_its_schema(closed_components: Any) -> None:
    examples = 0
    for name, operation in operations():
        for where, body in bodies(operation):
            validator = Draft202012Validator(
                body["schema"] | {"components": closed_components}, format_checker=FormatChecker()
            )
            for title, example in body.get("examples", {}).items():
                wrong = [fault.message[:200] for fault in validator.iter_errors(example["value"])]
                assert not wrong, (name, where, title)
                examples += 1
    assert examples > 40


def test_the_names_of_examples_are_words() -> None:
    """Some generators use them as identifiers."""
    for name, operation in operations():
        for _, body in bodies(operation):
            for title in body.get("examples", {}):
                assert re.fullmatch(r"[A-Za-z0-9._-]+", title), (name, title)
