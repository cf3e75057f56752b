from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagger_podman import reflection, schema
from dagger_podman.errors import UsageError
from dagger_podman.schema import from_json, sdk_schema, to_json
from dagger_podman.store import Store
from dagger_podman.typedefs import MISSING, Argument, Field, ObjectType, Schema, TypeRef

SDK = sdk_schema()


def field(name: str) -> Field:
    owner, _, member = name.partition(".")
    return SDK.objects[owner].fields[member]


def argument(name: str) -> Argument:
    owner, member, arg = name.split(".")
    found = field(f"{owner}.{member}").arg(arg)
    assert found is not None
    return found


def client_source() -> str:
    spec = importlib.util.find_spec("dagger")
    assert spec is not None
    return Path(str(spec.origin)).with_name("client").joinpath("gen.py").read_text()


# --- what is reflected --------------------------------------------------------------------------
def test_every_wire_name_of_the_source_is_there() -> None:
    classes = re.split(r"^class (\w+)\(.*$", client_source(), flags=re.MULTILINE)[1:]
    named = 0
    for name, body in zip(classes[::2], classes[1::2], strict=True):
        owner = name.removeprefix("_").removesuffix("Client") if name.startswith("_") else name
        for method in re.split(r"^    (?:async )?def ", body, flags=re.MULTILINE)[1:]:
            for wire in re.findall(r'_select\(\s*"(\w+)"|execute_sync\(\s*self,\s*"(\w+)"', method):
                known = SDK.objects[owner].fields["".join(wire)]
                assert [a.name for a in known.args] == re.findall(r'\bArg\(\s*"(\w+)"', method)
                named += 1
    assert named > 700


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Container.withExec", "Container!"),
        ("Container.stdout", "String!"),
        ("Container.exitCode", "Int!"),
        ("Container.label", "String"),
        ("Container.envVariables", "[EnvVariable!]!"),
        ("Container.exportImage", "Void"),
        ("Container.id", "ID!"),
        ("Container.sync", "ID!"),
        ("Service.start", "ID!"),
        ("Query.defaultPlatform", "Platform!"),
        ("Query.node", "Node!"),
        ("Query.currentFunctionCall", "FunctionCall!"),
    ],
)
def test_the_type_of_a_field(name: str, type_: str) -> None:
    assert str(field(name).type) == type_


@pytest.mark.parametrize(
    ("name", "kind", "type_", "default"),
    [
        ("Container.withExec.args", "list", "[String!]!", MISSING),
        ("Container.withExec.stdin", "scalar", "String", ""),
        ("Container.withExec.expect", "enum", "ReturnType", "SUCCESS"),
        ("Container.withExposedPort.description", "scalar", "String", MISSING),
        ("Container.withNewFile.permissions", "scalar", "Int", 420),
        ("Container.withDirectory.source", "object", "Directory!", MISSING),
        ("Container.publish.platformVariants", "list", "[Container!]", []),
        ("Query.git.keepGitDir", "scalar", "Boolean", True),
        ("Query.node.id", "scalar", "ID!", MISSING),
        ("Host.service.ports", "list", "[PortForward!]!", MISSING),
    ],
)
def test_an_argument(name: str, kind: str, type_: str, default: Any) -> None:
    found = argument(name)
    assert (found.type.kind, str(found.type), found.default) == (kind, type_, default)


def test_every_type_that_is_used_is_known() -> None:
    def innermost(type_: TypeRef) -> TypeRef:
        return innermost(type_.of) if type_.of else type_

    known = {
        "object": set(SDK.objects) - set(SDK.interfaces),
        "interface": set(SDK.interfaces),
        "enum": set(SDK.enums),
        "input": set(SDK.inputs),
        "scalar": {"String", "Int", "Float", "Boolean", "ID", *SDK.scalars},
        "void": {"Void"},
    }
    fields = [f for o in SDK.objects.values() for f in o.fields.values()]
    used = [f.type for f in fields] + [a.type for f in fields for a in f.args]
    assert [t for t in map(innermost, used) if t.name not in known[t.kind]] == []


def test_every_object_has_an_id() -> None:
    assert [o.name for o in SDK.objects.values() if str(o.fields["id"].type) != "ID!"] == []


def test_enum_members_are_known_by_name_also_where_two_share_a_value() -> None:
    assert list(SDK.enums["ImageMediaTypes"].values) == ["DockerMediaTypes", "DOCKER", "OCIMediaTypes", "OCI"]
    assert SDK.enums["CacheSharingMode"].values["LOCKED"].startswith("Shares the cache volume")


def test_inputs_interfaces_and_scalars() -> None:
    backend, frontend, protocol = SDK.inputs["PortForward"].fields
    assert (backend.required, frontend.required, protocol.default) == (True, False, "TCP")
    assert set(SDK.interfaces) == {"Exportable", "Node", "Syncer"}
    assert {"JSON", "Platform", "Void"} <= set(SDK.scalars)


def test_a_description_has_no_line_breaks_that_only_keep_it_narrow() -> None:
    assert field("Container.withExec").doc == (
        "Execute a command in the container, and return a new snapshot of the container state after execution."
    )
    assert field("Container.withExposedPort").doc.count("\n\n") == 3
    assert argument("Container.withExec.noInit").doc.startswith(
        "Skip the automatic init process injected into containers by default.\nOnly use this if"
    )


def test_deprecation_is_apart_from_the_description() -> None:
    values = field("EnumTypeDef.values")
    assert (values.doc, values.deprecated) == ("The members of the enum.", "use members instead")
    assert [o.name for o in SDK.objects.values() for f in o.fields.values() if ".. " in f.doc] == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Query(Root):\n  def a(self) -> Wrong:\n    self._select('a', [])", "unknown type Wrong"),
        ("class Query(Root):\n  def a(self, b: int) -> int:\n    self._select('a', [Arg('b', b + 1)])", "no plain"),
        ("class Container(Type): ...", "no class `Query`"),
        ("class", "line 1: invalid syntax"),
    ],
)
def test_unknown_source_is_refused(source: str, message: str) -> None:
    with pytest.raises(reflection.UnknownFormError, match=message):
        reflection.reflect(source)


# --- JSON ---------------------------------------------------------------------------------------
def test_json_gives_the_same_schema_back() -> None:
    text = TypeRef("scalar", "String")
    module_path = Argument("source", TypeRef("object", "Directory"), default_path="/", ignore=("*", "!ci"))
    function = Field("build", TypeRef("void", optional=True), (module_path,), cache="10m", check=True)
    nullable = Argument("a", TypeRef("list", optional=True, of=text), default=None)
    module = ObjectType(
        "Ci", {"build": function, "x": Field("x", text, stored=True)}, "Doc.", Field("ci", text, (nullable,))
    )
    for one in (SDK, SDK.extended(Schema({"Ci": module}, {}, {}))):
        assert from_json(json.loads(json.dumps(to_json(one)))) == one


# --- the kept one ----------------------------------------------------------------------------------
@pytest.fixture
def reflected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records each reflection, which gives a small schema."""
    calls: list[str] = []
    small = Schema({"Query": ObjectType("Query", {})}, {}, {})

    def reflect(source: str) -> Schema:
        calls.append(source)
        return small

    monkeypatch.setattr(reflection, "reflect", reflect)
    return calls


def test_the_store_spares_the_second_reflection(tmp_path: Path, reflected: list[str]) -> None:
    first, second = (sdk_schema(Store(tmp_path)) for _ in range(2))
    assert first == second
    assert len(reflected) == 1


def test_another_client_is_reflected_beside_the_first(
    tmp_path: Path, reflected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, first = Store(tmp_path / "cache"), schema._client_file()
    sdk_schema(store)
    client = tmp_path / "site" / "dagger" / "client" / "gen.py"
    client.parent.mkdir(parents=True)
    client.write_text("other")
    monkeypatch.setattr(schema, "_client_file", lambda: client)
    sdk_schema(store)
    assert reflected[1:] == ["other"]
    monkeypatch.setattr(schema, "_client_file", lambda: first)
    sdk_schema(store)
    assert len(reflected) == 2


def test_a_kept_schema_is_read_without_importing_the_client(tmp_path: Path) -> None:
    sdk_schema(Store(tmp_path))
    code = f"""if True:
        import pathlib, sys
        from dagger_podman.schema import sdk_schema
        from dagger_podman.store import Store
        sdk_schema(Store(pathlib.Path({str(tmp_path)!r})))
        print({{"dagger", "graphql", "importlib.metadata", "dagger_podman.reflection"}} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- errors -------------------------------------------------------------------------------------
def test_no_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"dagger-io is not installed in .*; install `dagger-io==0\.21\.\*`"):
        sdk_schema()


def test_a_client_of_another_form_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "dagger" / "client" / "gen.py"
    client.parent.mkdir(parents=True)
    client.write_text("class Directory(Type): ...")
    (tmp_path / "dagger_io-0.9.1.dist-info").mkdir()
    monkeypatch.setattr(schema, "_client_file", lambda: client)
    with pytest.raises(UsageError, match=r"dagger-io 0\.9\.1: .*gen\.py is not in the form of dagger-io 0\.21"):
        sdk_schema()
