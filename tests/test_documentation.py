"""What the documentation takes from the code is as the code is: generated parts, and the commands it shows."""

import importlib.util
import itertools
import re
import shlex
import types
import typing
from pathlib import Path
from typing import Any

import dagger
import pytest

from dagger_podman.command_line.arguments import parse_call, split_options
from dagger_podman.schema import sdk_schema
from dagger_podman.typedefs import MISSING, Argument, Field, ObjectType, Schema, TypeRef
from prodgy_ci.main import ProdgyCi

REPOSITORY = Path(__file__).parents[1]
GENERATE = REPOSITORY / "docs/generate.py"
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")), *REPOSITORY.glob("examples/*/*.md")]
SCALARS = {str: "String", int: "Int", bool: "Boolean", float: "Float", type(None): "Void", dagger.Platform: "Platform"}


def test_generated_documents_are_current() -> None:
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in module.documents().items():
        assert path.read_text() == text, f"{path.name} is out of date: run `make docs`"


# --- the commands that are shown ------------------------------------------------------------------
def commands() -> list[Any]:
    """Each `dagger call …` of the pages: a line of a block whole, one in a sentence as the names that it is."""
    shown = []
    for page in PAGES:
        blocks = re.split(r"^```.*\n", page.read_text(), flags=re.MULTILINE)
        for number, block in enumerate(blocks):
            joined = block.replace("\\\n", " ") if number % 2 else "\n".join(re.findall(r"`([^`]+)`", block))
            for line in joined.splitlines():
                if found := re.match(r"(?:\$ )?dagger(?:-podman)? call (.+)", re.sub(r" +(?=--)", " ", line)):
                    # Two spaces begin what it does, a pipe or redirection what is done with its output.
                    command = re.split(r" {2,}| [|>#]| 2>", found[1].strip())[0]
                    shown.append(pytest.param(command, number % 2 == 1, id=f"{page.name}: {command}"))
    return shown


@pytest.mark.parametrize(("command", "whole"), commands())
def test_a_command_that_is_shown_names_real_functions_and_flags(command: str, whole: bool, module: Schema) -> None:
    options, words = split_options(shlex.split(command))
    told = [word for before, word in itertools.pairwise(["", *words]) if word != "…" or before.startswith("-")]
    if told != ["FUNCTION"]:
        parse_call(module, "ProdgyCi", told, helping=told != words or options.help or not whole)


@pytest.fixture(scope="module")
def module() -> Schema:
    """The API with this module's types, as registration would tell them."""
    objects = {}
    declared: Any = ProdgyCi
    for name, kind in declared.__dagger_module__._objects.items():
        hints = typing.get_type_hints(kind.cls)
        fields = {f.name: Field(f.name, reference(hints[f.original_name])) for f in kind.fields.values()}
        fields |= {n: function(f) for n, f in kind.functions.items() if n}
        objects[name] = ObjectType(name, fields, constructor=function(kind.get_constructor()))
    return sdk_schema().extended(Schema(objects, {}, {}))


def function(known: Any) -> Field:
    arguments = [
        Argument(p.name, reference(p.resolved_type), "", None if p.has_default else MISSING, str(p.default_path or ""))
        for p in known.parameters.values()
    ]
    return Field(known.name, reference(known.return_type), tuple(arguments))


def reference(hint: Any) -> TypeRef:
    if isinstance(hint, types.UnionType):
        return reference(next(part for part in hint.__args__ if part is not type(None)))
    if typing.get_origin(hint) is list:
        return TypeRef("list", of=reference(hint.__args__[0]))
    return TypeRef("scalar", SCALARS[hint]) if hint in SCALARS else TypeRef("object", hint.__name__)
