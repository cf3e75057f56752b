"""A variable that has no value, or one that nobody meant, is told by its name, and no value is ever shown."""

import pytest
from pydantic import SecretStr

from prodgy_ci.checks.variables import checks, fault

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("value", ["", "  ", "''", "$(VM_IP)", "https://$(host)/", "$(resource group)"])
def test_nothing_and_macros_are_no_values(value: str) -> None:
    assert fault(value)


PLACEHOLDERS = (
    "changeme CHANGE_ME change-it TODO to-do: TBD FIXME <resource-group> <…> xxx XXXXXX *** ... ? - placeholder"
)


@pytest.mark.parametrize(
    "value", [*PLACEHOLDERS.split(), "your-app-name", "YOUR_TOKEN_HERE", "__TOKEN__", "{{ token }}"]
)
def test_placeholders_are_no_values(value: str) -> None:
    assert fault(value) == "holds a placeholder, such as changeme, TODO or <…>"


@pytest.mark.parametrize(
    "value",
    ["prodgy-dev", "10.0.0.4", "todo-app", "changeme-not", "xx", "examples-api", "pa$$w(o)rd", "a<b>c", "yours"],
)
def test_a_value_that_holds_such_a_word_is_one(value: str) -> None:
    assert fault(value) is None


async def test_each_variable_is_a_check_of_its_own() -> None:
    values: dict[str, str | SecretStr] = {
        "VM_IP": "canary",
        "VM_PASSWORD": SecretStr("TODO"),
        "resourceGroup": "$(resourceGroup)",
    }
    made = checks(("VM_IP", "VM_PASSWORD", "resourceGroup", "VM_USER"), values, "prodgy-staging")
    found = {check.name: await check.look() for check in made}
    assert {name: finding.status for name, finding in found.items()} == {
        "variable VM_IP": "passed",
        "variable VM_PASSWORD": "failed",
        "variable resourceGroup": "failed",
        "variable VM_USER": "failed",
    }
    assert found["variable VM_USER"].evidence == "VM_USER is not there"
    assert found["variable VM_USER"].mend == "set VM_USER in the variable group prodgy-staging"
    assert "canary" not in str(found) and not any(check.needs_network for check in made)
