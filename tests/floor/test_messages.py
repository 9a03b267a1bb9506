"""Messages of refused bodies are sentences for people, in every model."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from configuration import keys
from ordermgmt.errors import Invalid
from ordermgmt.http.wire import Wire

APPS = ("ordermgmt", "configuration", "webhooks", "orders")
# Not one of these is a form that any pattern of ours asks for.
HOSTILE = ("\x7f\n", "~ ~", "é\u2028", "://", "(", "*")


def models() -> list[type[BaseModel]]:
    """Every wire model there is, with all modules loaded that could define one."""
    for app in APPS:
        for module in pkgutil.walk_packages(importlib.import_module(app).__path__, f"{app}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    classes: list[type[BaseModel]] = [Wire]
    for model in classes:
        classes += [sub for sub in model.__subclasses__() if sub not in classes]
    return [model for model in classes[1:] if model.__module__.split(".")[0] in APPS]


def patterns(schema: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the places of a schema with a pattern that pydantic's own message would report."""
    if isinstance(schema, dict):
        if schema.get("type") == "custom-error":
            return
        if schema.get("type") == "str" and "pattern" in schema:
            yield path, schema["pattern"]
        for name, part in schema.items():
            yield from patterns(part, f"{path}.{name}")
    elif isinstance(schema, list | tuple):
        for number, part in enumerate(schema):
            yield from patterns(part, f"{path}.{number}")


def test_every_pattern_has_words_of_its_own():
    by_model = {
        model.__name__: list(patterns(model.__pydantic_core_schema__)) for model in models()
    }

    assert len(by_model) > 80
    assert {name: places for name, places in by_model.items() if places} == {}


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=list(keys.KEYS))
def test_every_pattern_of_a_setting_has_words_of_its_own(key):
    assert list(patterns(key.adapter.core_schema)) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_no_message_has_a_regular_expression(text):
    refused = 0
    for model in models():
        body = {
            name: text
            for field, info in model.model_fields.items()
            for name in {field, *_names(info.validation_alias)}
        }
        try:
            model.check(body, operation="a test")  # type: ignore[attr-defined]  # all are wires
        except Invalid as refusal:
            refused += 1
            for fault in refusal.facts["errors"]:
                assert not set(fault["message"]) & set("^$\\|*{}"), (model, fault)
                assert "pattern" not in fault["message"]
    assert refused > 60


def _names(alias: Any) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    yield from map(str, getattr(alias, "choices", ()))
