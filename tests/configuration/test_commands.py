"""Tests of the management commands: output, JSON and refusals."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import OperationalError, ProgrammingError, connection, transaction

from configuration import keys
from configuration.models import Client, Setting, SettingChange, Tenant
from configuration.services import tokens
from ordermgmt.http.scopes import ONLY_IF_NAMED, SCOPES
from ordermgmt.management.base import ActionCommand
from tests.factories import ClientFactory, TenantFactory

pytestmark = pytest.mark.django_db
WEBHOOK = {"url": "https://example.com/", "api_key": "canary-canary-canary-1234"}
COMMANDS = ["tenant", "client", "config", "location", "service_level", "secrets", "staff"]


def run(*words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def run_json(*words):
    return json.loads(run(*words, "--json"))


def test_a_tenant_and_a_client_can_be_made_by_a_script():
    tenant = run_json("tenant", "create", "acme")
    result = run_json("client", "create", "--tenant", "acme", "--name", "shop")

    assert tenant["slug"] == "acme"
    assert set(result) >= {"client_id", "client_secret", "scopes", "tenant"}
    assert (result["tenant"], result["scopes"]) == (
        "acme",
        [scope for scope in SCOPES if scope not in ONLY_IF_NAMED],
    )
    assert tokens.authenticate(client_id=result["client_id"], client_secret=result["client_secret"])


def test_a_client_can_be_switched_off_and_on():
    client = ClientFactory()

    for word, is_active in (("off", False), ("on", True)):
        assert run_json("client", word, client.client_id)["is_active"] is is_active
        assert run_json("client", "list")[0]["is_active"] is is_active


def test_a_client_gets_the_scopes_it_was_given():
    TenantFactory(slug="acme")

    result = run_json(
        "client", "create", "--tenant=acme", "--name=N", "--scopes", "events:read orders:read"
    )

    assert result["scopes"] == ["orders:read", "events:read"]


def test_a_rotated_secret_is_the_one_that_works():
    client = ClientFactory()

    result = run_json("client", "rotate", client.client_id)

    assert tokens.authenticate(client_id=client.client_id, client_secret=result["client_secret"])


def test_lists_hold_no_secrets():
    client = ClientFactory()

    listed = run_json("client", "list")

    assert [row["client_id"] for row in listed] == [client.client_id]
    assert client.client_secret not in run("client", "list") + json.dumps(listed)


def test_a_tenant_becomes_lenient_about_price_details_and_strict_again():
    assert run_json("tenant", "create", "acme")["lenient_price_details"] is False

    for word, is_lenient in (("yes", True), ("no", False)):
        run_json("tenant", "update", "acme", "--lenient-price-details", word)
        assert Tenant.objects.get().lenient_price_details is is_lenient


def test_lists_can_be_of_one_tenant():
    ClientFactory()
    mine = ClientFactory()

    listed = run_json("client", "list", "--tenant", mine.tenant.slug)

    assert [row["name"] for row in listed] == [mine.name]


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=lambda key: key.name)
def test_every_key_can_be_set_and_read(key):
    TenantFactory(slug="acme")

    set_ = run_json("config", "set", "acme", key.name, json.dumps(key.example))

    assert set_["value"] == key.mask(key.example)
    assert run_json("config", "get", "acme", key.name) == set_
    assert SettingChange.objects.get().author == "cli:config"


def test_all_keys_of_all_tenants_are_listed():
    slugs = sorted([TenantFactory().slug, TenantFactory().slug])

    rows = run_json("config", "list")

    assert [(row["tenant"], row["key"]) for row in rows] == [
        (s, k) for s in slugs for k in keys.KEYS
    ]
    assert len(run_json("config", "list", slugs[0])) == len(keys.KEYS)


def test_a_secret_is_never_printed():
    TenantFactory(slug="acme")
    output = run("config", "set", "acme", "external_order_webhook", json.dumps(WEBHOOK))
    for words in (
        ["get", "acme", "external_order_webhook"],
        ["list"],
        ["history", "acme", "external_order_webhook"],
    ):
        output += run("config", *words) + run("config", *words, "--json")

    assert "canary" not in output
    assert "••••1234" in output


@pytest.mark.parametrize(
    "words",
    [
        ["tenant", "create", "acme"],
        ["tenant", "create", "ACME"],
        ["tenant", "update", "nobody", "--name", "x"],
        ["client", "create", "--tenant", "nobody", "--name", "x"],
        ["client", "create", "--tenant", "acme", "--name", "x", "--scopes", "all"],
        ["client", "create", "--tenant", "acme", "--name", "x", "--scopes", ""],
        ["tenant", "update", "acme"],
        ["client", "rotate", "nobody"],
        ["client", "off", "nobody"],
        ["config", "get", "acme", "nothing"],
        ["config", "set", "acme", "big_sales_order", "300"],
        ["config", "set", "acme", "big_sales_order", "{"],
        ["config", "set", "acme", "sales_order_generator_sequence", "{}"],
        ["config", "set", "acme", "external_oms", '{"enabled": true, "since": 1}'],
        ["config", "reset", "acme", "big_sales_order"],
        [
            "config",
            "set",
            "acme",
            "external_order_webhook",
            '{"url":"https://10.0.0.1","api_key":"k"}',
        ],
        ["location", "put", "B", "--tenant", "acme", "--type", "moon"],
        ["service_level", "put", "B", "--tenant", "acme", "--shipping-type", "mule"],
    ],
)
def test_a_refusal_is_one_line_and_changes_nothing(words):
    TenantFactory(slug="acme")

    with pytest.raises(CommandError) as refusal:
        run(*words)

    assert refusal.value.returncode == 1
    assert "\n" not in str(refusal.value).strip()
    assert (Tenant.objects.count(), Client.objects.count(), Setting.objects.count()) == (1, 0, 0)


def test_a_value_that_is_no_json_is_not_called_a_request():
    TenantFactory(slug="acme")

    with pytest.raises(CommandError, match=r"^The value is not acceptable JSON: syntax error at"):
        run("config", "set", "acme", "big_sales_order", "{bad")


def test_an_update_of_nothing_says_what_can_be_changed():
    TenantFactory(slug="acme")

    with pytest.raises(CommandError, match=r"Nothing was changed.*--name.*--is-active"):
        run("tenant", "update", "acme")


def test_what_comes_next_can_be_typed_as_it_stands():
    assert "Next: ./run manage client create --tenant acme" in run("tenant", "create", "acme")


@pytest.fixture
def undone():
    """Roll back to a savepoint after the block, so that the transaction stays usable."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


OF_THE_DATABASE = [
    ["tenant", "update", "acme", "--name", "x"],
    ["client", "create", "--tenant", "acme", "--name", "x"],
    ["config", "set", "acme", "big_sales_order", "{}"],
    ["location", "put", "DC1", "--tenant", "acme", "--type", "dc"],
    ["service_level", "put", "slow", "--tenant", "acme"],
    ["staff", "list"],
    ["secrets", "reseal"],
    ["external_oms", "list"],
    ["check_invariants"],
    ["demo"],
]


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("words", OF_THE_DATABASE, ids=lambda words: words[0])
def test_a_database_without_tables_is_told_in_one_line_that_says_what_to_do(words):
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA empty; SET LOCAL search_path TO empty")

    with pytest.raises(CommandError) as refusal:
        run(*words)

    assert "\n" not in str(refusal.value)
    assert "does not exist" in str(refusal.value)
    assert str(refusal.value).endswith("./run manage migrate")


@pytest.mark.usefixtures("undone")
def test_an_older_schema_is_told_likewise():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE configuration_tenant RENAME COLUMN name TO formerly")

    with pytest.raises(CommandError, match=r"name does not exist.*\./run manage migrate$"):
        run("tenant", "list")


def test_a_database_in_trouble_is_told_in_one_line(monkeypatch):
    def fail(*_, **__):
        raise OperationalError("connection failed\n\tIs the server running?")

    monkeypatch.setattr("configuration.services.tenants.create", fail)

    with pytest.raises(CommandError) as refusal:
        run("tenant", "create", "acme")

    assert "connection failed Is the server running?" in str(refusal.value)


@pytest.mark.usefixtures("undone")
def test_a_statement_that_is_wrong_is_not_taken_for_an_older_schema(monkeypatch):
    def stumble(*_, **__):
        connection.cursor().execute("SELECT FROM FROM")

    monkeypatch.setattr("configuration.services.tenants.create", stumble)

    with pytest.raises(ProgrammingError, match="syntax error"):
        run("tenant", "create", "acme")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(name, capsys):
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, ActionCommand)

    with pytest.raises(SystemExit):
        command.run_from_argv(["manage.py", name, "--help"])

    output = capsys.readouterr().out
    assert all(example in output for example in command.examples)
    assert all(action.help.split()[0] in output for action in command.actions())


def test_a_table_keeps_what_people_copy_in_one_piece(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    client = ClientFactory()

    assert client.client_id in run("client", "list")


def test_a_sequence_is_raised_and_reset_by_command():
    run("tenant", "create", "acme")
    name = "sales_order_generator_sequence"
    run_json("config", "set", "acme", name, '{"prefix": "A", "size": 2}')

    raised = run_json("config", "set", "acme", name, '{"prefix": "A", "size": 3}')
    assert (raised["value"]["size"], raised["version"]) == (3, 2)
    undone = run_json("config", "reset", "acme", name)

    assert (undone["value"], undone["version"]) == ({}, 0)
    assert not Setting.objects.exists()
    assert run_json("config", "history", "acme", name)[0]["to"] == {}
    assert SettingChange.objects.order_by("version").last().author == "cli:config"
    assert run_json("config", "set", "acme", name, '{"prefix": "B"}')["version"] == 4


@pytest.mark.parametrize("words", [("tenant", "list"), ("client", "list"), ("config", "list")])
def test_a_list_fits_a_terminal_and_keeps_what_is_copied_in_one_piece(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    client = ClientFactory(tenant=TenantFactory(slug="acme", name="Acme Outdoor"), name="web-shop")
    copied = {"client": [client.client_id], "config": list(keys.KEYS), "tenant": ["acme"]}

    table = run(*words)

    assert max(map(len, table.splitlines())) <= 80
    assert all(word in table for word in copied[words[0]])
    assert all(word in table for word in ("acme", "\u2503"))
    assert len(table.splitlines()) < 20
