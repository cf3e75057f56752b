"""The SDK checks the types of arguments as it does on Dagger, although its checks are made at the first call."""

import inspect
from typing import Self

import beartype
import pytest

from dagger_podman.runner import checked_when_called, checks_made_when_called


def client() -> type:
    class Client:
        def named(self, name: str) -> Self:
            return self

        async def size(self, unit: int) -> int:
            return unit

    return Client


def test_each_method_is_checked_from_its_first_call_on() -> None:
    one = checked_when_called(beartype.beartype(conf=beartype.BeartypeConf(violation_param_type=TypeError)))(client())()
    for _ in range(2):
        with pytest.raises(TypeError, match=r"named\(\) parameter name=3 violates type hint <class 'str'>"):
            one.named(3)
        assert one.named("a") is one


def test_a_method_is_decorated_once_and_alone() -> None:
    decorated: list[list[str]] = []

    def check(cls: type) -> type:
        decorated.append([name for name, one in vars(cls).items() if inspect.isfunction(one) and unmarked(one)])
        return cls

    one = checked_when_called(check)(client())()
    one.named("a").named("b")
    assert decorated == [["named"]]


def unmarked(method: object) -> bool:
    return not getattr(method, "__no_type_check__", False)


@pytest.mark.anyio
async def test_a_coroutine_function_stays_one() -> None:
    one = checked_when_called(beartype.beartype(conf=beartype.BeartypeConf()))(client())()
    assert inspect.iscoroutinefunction(one.size)
    with pytest.raises(beartype.roar.BeartypeCallHintParamViolation):
        await one.size("a")
    assert await one.size(1) == 1


def test_what_is_decorated_otherwise_meanwhile_is_decorated_at_once() -> None:
    real = beartype.beartype
    with checks_made_when_called():

        @beartype.beartype
        def direct(number: int) -> int:
            return number

        @beartype.beartype(conf=beartype.BeartypeConf())
        def configured(number: int) -> int:
            return number

    assert beartype.beartype is real
    for function in (direct, configured):
        with pytest.raises(beartype.roar.BeartypeCallHintParamViolation):
            function("a")  # type: ignore[arg-type]
