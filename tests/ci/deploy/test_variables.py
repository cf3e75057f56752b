"""A variable that is not set is told by its name and group, and no value is ever shown."""

import pytest

from prodgy_ci.deploy.variables import parse, required
from prodgy_ci.errors import InputError

KNOWN = ("resourceGroup", "VM_IP", "VM_PASSWORD")
GROUP = "prodgy-development"


def test_a_value_is_all_that_stands_after_the_first_equals_sign() -> None:
    assert parse("resourceGroup=rg=1\n\n# a remark\nVM_IP = 10.0.0.4:5986 \n", KNOWN, GROUP) == {
        "resourceGroup": "rg=1",
        "VM_IP": "10.0.0.4:5986",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resourcegroup=x", "line 1: unknown variable 'resourcegroup'.*resourceGroup"),
        ("VM_IP", "line 1: is not NAME=value"),
        ("VM_IP=1\nVM_IP=2", "line 2: VM_IP stands there twice"),
        ("VM_IP=", "VM_IP is empty; set it in the variable group prodgy-development"),
        ("VM_IP=$(VM_IP)", r"VM_IP is still the pipeline's macro \$\(VM_IP\)"),
    ],
)
def test_what_cannot_be_a_variable_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text, KNOWN, GROUP)


def test_all_faults_are_told_at_once_and_no_value() -> None:
    with pytest.raises(InputError) as raised:
        parse("VM_IP=\nVM_PASWORD=canary\nresourceGroup=$(x)", KNOWN, GROUP)
    assert len(str(raised.value).splitlines()) == 3
    assert "canary" not in str(raised.value)


def test_a_missing_variable_is_told_with_what_it_is_for() -> None:
    with pytest.raises(InputError, match="VM_IP is missing: the machine of assistant; set it in the variable group"):
        required({}, "VM_IP", "the machine of assistant", GROUP)
