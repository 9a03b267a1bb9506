"""The OpenAPI document follows the behaviour of the base without repetition."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client, override_settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from pydantic import BaseModel, Field

from ordermgmt.http import openapi
from ordermgmt.http.openapi import Wire, problems
from ordermgmt.http.wire import Number
from tests.floor.example_api import EXAMPLES

V2 = "application/x.newstore.orders+json;version=2"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture(autouse=True)
def _example_api() -> Iterator[None]:
    openapi._document.cache_clear()
    with override_settings(ROOT_URLCONF="tests.floor.example_api", ALLOWED_HOSTS=["testserver"]):
        yield
    openapi._document.cache_clear()


@pytest.fixture
def document() -> dict[str, Any]:
    response = Client().get("/openapi.yaml")
    assert response.headers["Content-Type"] == "application/yaml; charset=utf-8"
    parsed: dict[str, Any] = yaml.safe_load(response.content)
    return parsed


def _operation(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"][path][method]
    return operation


def test_it_is_valid_and_made_without_a_warning() -> None:
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        schema = SchemaGenerator(patterns=EXAMPLES).get_schema(request=None, public=True)
        assert not GENERATOR_STATS
    validate_schema(schema)
    assert schema["openapi"] == "3.1.1"


def test_it_has_what_every_operation_may_answer(document: dict[str, Any]) -> None:
    get = _operation(document, "/baskets", "get")["responses"]
    post = _operation(document, "/baskets", "post")["responses"]

    always = ["500", "503", "default"]
    assert list(get) == ["200", "401", "403", "404", "406", "409", *always]
    assert list(post) == ["200", "400", "401", "403", "408", "409", "413", "415", *always]
    for status in ("401", "404", "406", "500", "503", "default"):
        content = get[status]["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert get[status]["description"]


def test_both_versions_are_documented_where_both_are_spoken(document: dict[str, Any]) -> None:
    both = _operation(document, "/baskets", "get")["responses"]["200"]["content"]
    one = _operation(document, "/tenants", "get")["responses"]["200"]["content"]

    assert list(both) == ["application/json", V2]
    assert list(one) == ["application/json"]


def test_tenant_headers_are_documented_where_they_are_required(document: dict[str, Any]) -> None:
    with_headers = _operation(document, "/tenants", "get")

    assert [p["name"] for p in with_headers["parameters"]] == [
        "Request-Id",
        "Tenant",
        "X-Newstore-Tenant",
    ]
    assert all(p["required"] and p["in"] == "header" for p in with_headers["parameters"])
    assert "400" in with_headers["responses"]
    assert "parameters" not in _operation(document, "/baskets", "get")


def test_bodiless_answers_have_no_body_in_it_either(document: dict[str, Any]) -> None:
    answers = _operation(document, "/tenants", "get")["responses"]

    assert answers["404"] == {"description": "Not Found. Has no body."}
    assert answers["409"] == {"description": "Conflict. Has no body."}


def test_an_example_is_the_whole_envelope(document: dict[str, Any]) -> None:
    answer = _operation(document, "/baskets", "post")["responses"]["409"]
    (example,) = answer["content"]["application/problem+json"]["examples"].values()

    assert example["value"]["message"] == "It is taken."
    assert set(example["value"]) == set(openapi.Problem.model_fields)


def test_wire_models_are_components(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["Basket"]["required"] == ["items"]
    assert schemas["Price"]["properties"]["amount"] == {"type": "number", "minimum": 0}
    assert "$defs" not in str(schemas)


def test_the_handlers_words_describe_it_and_the_base_class_is_silent(
    document: dict[str, Any],
) -> None:
    assert _operation(document, "/baskets", "get")["description"] == "Fails as it is told to."
    assert "description" not in _operation(document, "/baskets", "post")


def test_two_models_of_one_name_are_noticed() -> None:
    class Part(BaseModel):
        one: int

    first = Part

    class Part(BaseModel):  # type: ignore[no-redef]
        two: int

    class Whole(Wire):
        part: first

    class Other(Wire):
        part: Part

    from drf_spectacular.plumbing import ComponentRegistry

    class Schema:
        registry = ComponentRegistry()

    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        openapi.WireExtension(Whole).map_serializer(Schema(), "request")  # type: ignore[arg-type]
        openapi.WireExtension(Whole).map_serializer(Schema(), "response")  # type: ignore[arg-type]
        assert not GENERATOR_STATS
        openapi.WireExtension(Other).map_serializer(Schema(), "request")  # type: ignore[arg-type]
        assert GENERATOR_STATS
    GENERATOR_STATS.reset()


def test_a_model_is_the_same_in_both_directions() -> None:
    class Both(Wire):
        amount: Number = Field(ge=0)
        note: str | None = None

    modes = [Both.model_json_schema(mode=mode) for mode in ("validation", "serialization")]

    assert modes[0] == modes[1]


def test_problems_lists_each_status_once() -> None:
    keys = list(problems(400, 409, 409, examples={409: {"a": "A."}, 412: {"b": "B."}}))

    assert [key[0] for key in keys if isinstance(key, tuple)] == [400, 409, 412]


@pytest.mark.django_db  # closing a file's answer looks at the connection, where there is one
def test_the_page_asks_no_other_host() -> None:
    response = Client().get("/docs/")
    page = response.content.decode()

    assert "http" not in page.replace("http-equiv", "")
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "<script>" not in page
    for url in ("ordermgmt/docs.js", "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"):
        assert f"/static/{url}" in page
        assert finders.find(url)
        asset = Client().get(f"/static/{url}")
        assert asset.status_code == 200
        asset.close()
