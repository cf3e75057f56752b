"""What the module registers with Dagger, and what a user sees of its errors."""

import importlib.metadata
import logging
import typing
from collections.abc import Mapping
from typing import Annotated, Any
from unittest.mock import AsyncMock, MagicMock

import anyio
import dagger
import pytest
from dagger import Doc, QueryError
from dagger._exceptions import QueryErrorValue
from dagger.mod._exceptions import FunctionError
from dagger.mod._module import Module

from prodgy_ci.errors import ProdgyError
from prodgy_ci.images.record import Image, Images, load
from prodgy_ci.main import ProdgyCi, _images_file

OBJECT: Any = ProdgyCi
MODULE: Any = OBJECT.__dagger_module__


def source(files: Mapping[str, str]) -> Any:
    """A directory of the caller's that holds these files."""
    folders = {path.rpartition("/")[0] for path in files} - {""}

    async def exists(path: str, expected_type: object = None) -> bool:
        return path in (folders if expected_type else files)

    directory = MagicMock(spec=dagger.Directory)
    directory.exists = exists
    directory.file = lambda path: MagicMock(contents=AsyncMock(return_value=files[path]))
    return directory


def module(toml: str = "") -> Any:
    return OBJECT(source=source({}), catalog_text=toml)


def register(builder: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes all type definitions of a module as at its registration, short of sending them."""
    monkeypatch.setattr(builder, "_main_name", name)
    monkeypatch.setattr(builder, "_main", builder.get_object(name))
    monkeypatch.setattr(dagger.Module, "id", AsyncMock(return_value="an id"))
    assert anyio.run(builder._typedefs) == "an id"


def functions(name: str = "ProdgyCi") -> dict[str, Any]:
    kind = MODULE.get_object(name)
    kind.get_constructor()
    return dict(kind.functions)


OF_ENVIRONMENT = {name: function for name, function in functions("Environment").items() if name}
"""Without the constructor, which is `environment`."""


def test_the_entry_point_names_the_main_object() -> None:
    (found,) = importlib.metadata.entry_points(group="dagger.mod", name="main_object")
    assert found.load() is ProdgyCi


def test_the_module_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    register(MODULE, "ProdgyCi", monkeypatch)


def test_registration_catches_an_unsupported_result(monkeypatch: pytest.MonkeyPatch) -> None:
    builder: Any = Module()

    class Bad:
        @builder.function  # type: ignore[untyped-decorator]
        def sizes(self) -> dict[str, int]:
            return {}

    builder.object_type(Bad)
    with pytest.raises(TypeError, match=r"unsupported return type for function 'sizes'.*dict\[str, int\]"):
        register(builder, "Bad", monkeypatch)


def test_registration_catches_an_unsupported_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    builder: Any = Module()

    class Bad:
        @builder.function  # type: ignore[untyped-decorator]
        def build(self, service: int | str) -> str:
            return str(service)

    builder.object_type(Bad)
    with pytest.raises(TypeError, match="unsupported parameter type for 'service'"):
        register(builder, "Bad", monkeypatch)


def test_its_functions_are_these() -> None:
    assert set(functions()) == {
        *("", "services", "plan", "check_catalog"),
        *("build", "build_all", "build_static", "build_artifact"),
        *("publish", "promote", "sbom", "image_info"),
        *("ci", "pipeline", "verdict", "scaffold"),
        *("test", "test_all", "integration_test", "integration_test_all", "integration_tests", "test_report"),
        *("unit_tests", "integration_tests", "dev", "stack", "environment"),
    }
    assert set(OF_ENVIRONMENT) == {
        *("deployed", "status", "deploy", "rollback"),
        *("preflight", "preflight_report", "verify", "verify_report"),
    }


@pytest.mark.parametrize(
    "function",
    [pytest.param(f, id=name or "constructor") for name, f in [*functions().items(), *OF_ENVIRONMENT.items()]],
)
def test_every_function_and_argument_has_help(function: Any) -> None:
    assert function.doc and function.doc.splitlines()[0].endswith(".")
    hints = typing.get_type_hints(function.wrapped, include_extras=True)
    for name in function.parameters:
        kind = hints[name]
        assert typing.get_origin(kind) is Annotated, f"{name} has no Doc"
        assert any(isinstance(part, Doc) and part.documentation for part in kind.__metadata__), f"{name} has no Doc"


def test_the_object_and_the_module_have_help() -> None:
    import prodgy_ci

    assert ProdgyCi.__doc__ and prodgy_ci.__doc__


def test_reports_that_tell_of_a_moment_are_never_cached() -> None:
    assert {name for name, function in functions().items() if function.cache_policy == "never"} == {
        *("build_all", "plan", "dev", "stack", "publish", "promote", "sbom", "image_info", "environment"),
        *("ci", "pipeline", "verdict", "scaffold"),
        *("test", "test_all", "integration_test", "integration_test_all", "integration_tests", "test_report"),
    }
    assert {function.cache_policy for function in OF_ENVIRONMENT.values()} == {"never"}


def test_the_constructor_keeps_the_catalogs_text() -> None:
    text = 'root = "examples/shop"\n'
    made: Any = anyio.run(OBJECT.create, source({"prodgy-ci.toml": text, "examples/shop/package.json": ""}))
    assert made.catalog_text == text


def test_a_source_without_a_catalog_has_the_builtin_one() -> None:
    made: Any = anyio.run(OBJECT.create, source({}))
    assert "engine" in made.services()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('rot = "."', "prodgy-ci.toml: rot: unknown key: did you mean 'root'?"),
        ("root = ", "prodgy-ci.toml: not valid TOML"),
        ('root = "elsewhere"', "prodgy-ci.toml: root: the source holds no folder 'elsewhere'"),
        ("[services.api]\nport = 0", "prodgy-ci.toml: services.api.port: "),
    ],
)
def test_the_constructor_refuses_a_faulty_catalog(text: str, message: str) -> None:
    with pytest.raises(FunctionError) as caught:
        anyio.run(MODULE.call, OBJECT.create, source({"prodgy-ci.toml": text}))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("function", "service", "message"),
    [
        ("build", "engin", "unknown service 'engin': did you mean 'engine'?"),
        ("build", "docs", "call build-static --service docs"),
        ("build", "assistant", "call build-artifact --service assistant"),
        ("build_static", "api", "call build --service api"),
        ("build_artifact", "docs", "call build-static --service docs"),
        ("build_all", ["api", "dogs"], "unknown service 'dogs': did you mean 'docs'?"),
        ("build_all", [], "services: none named"),
    ],
)
def test_a_users_error_is_its_message_and_no_traceback(
    function: str, service: object, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(FunctionError) as caught:
        anyio.run(MODULE.call, getattr(module(), function), service)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not caplog.records


def test_where_an_image_failed_the_error_holds_images_json() -> None:
    failed = Image(service="web", form="image", result="failed", error="no room\nat all")
    images = Images(registry="registry.example", environment=None, commit="c" * 40, images={"web": failed})
    with pytest.raises(ProdgyError) as raised:
        _images_file(images)
    said = str(raised.value)
    assert "web: no room\nat all" in said
    assert load(said.partition("images.json:\n")[2], "") == images


def test_a_failed_command_is_passed_on_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    details = {"_type": "EXEC_ERROR", "cmd": ["false"], "exitCode": 7, "stdout": "", "stderr": ""}

    def failing() -> str:
        raise QueryError([QueryErrorValue("exit code: 7", extensions=details)], MagicMock())

    with pytest.raises(dagger.ExecError, match="exit code: 7"):
        anyio.run(MODULE.call, failing)
    assert not caplog.records


def test_a_fault_of_the_module_itself_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise LookupError("a fault")

    with caplog.at_level(logging.ERROR), pytest.raises(FunctionError):
        anyio.run(MODULE.call, broken)
    assert "LookupError: a fault" in caplog.text
