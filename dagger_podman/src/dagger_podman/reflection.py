"""The Dagger API read from the source of its Python client, without importing it (that takes half a second)."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .typedefs import MISSING, Argument, EnumType, Field, InputType, Kind, ObjectType, Schema, TypeRef

ID = TypeRef("scalar", "ID")
BUILT_IN = {"str": "String", "int": "Int", "float": "Float", "bool": "Boolean", "Type": "ID"}
"""Python annotation → scalar. `Type` is the client's word for an object of any type."""
BASES: dict[str, Kind] = {
    "Scalar": "scalar",
    "Enum": "enum",
    "Input": "input",
    "Type": "object",
    "Root": "object",
    "Protocol": "interface",
}
WRAPPED_AT = 64
"""The client's docstrings are wrapped at no less than this width."""


class UnknownFormError(ValueError):
    """The client's source has a construct that this reader does not know."""


def reflect(source: str) -> Schema:
    """The schema behind a generated client module (`dagger/client/gen.py`).

    An interface is among `objects` by its fields and in `interfaces` by its name.
    Raises `UnknownFormError` for source that is not of the known form.
    """
    try:
        classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    except SyntaxError as error:
        raise UnknownFormError(f"line {error.lineno}: {error.msg}") from None
    kinds = {node.name: BASES[base] for node in classes if (base := _base(node)) in BASES}
    found: dict[Kind, dict[str, ast.ClassDef]] = {"scalar": {}, "enum": {}, "input": {}, "object": {}, "interface": {}}
    for node in classes:
        if node.name in kinds:
            found[kinds[node.name]][node.name] = node
    clients = {_wire_class(node): node for node in found["object"].values()}
    if "Query" not in clients:
        raise UnknownFormError("there is no class `Query`")
    objects = {}
    for name, node in clients.items():
        described = found["interface"].get(name, node)
        objects[name] = _object(node, name, kinds, _paragraphs(ast.get_docstring(described) or ""))
    return Schema(
        objects,
        {name: _enum(node) for name, node in found["enum"].items()},
        {name: _input(node, kinds) for name, node in found["input"].items()},
        tuple(found["scalar"]),
        tuple(found["interface"]),
    )


def _base(node: ast.ClassDef) -> str:
    return node.bases[0].id if node.bases and isinstance(node.bases[0], ast.Name) else ""


def _wire_class(node: ast.ClassDef) -> str:
    """A class whose name differs from its type's overrides `_graphql_name`."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "_graphql_name":
            match child.body[-1]:
                case ast.Return(value=ast.Constant(value=str(name))):
                    return name
    return node.name


# --- objects ------------------------------------------------------------------------------------
def _object(node: ast.ClassDef, name: str, kinds: Mapping[str, Kind], doc: str) -> ObjectType:
    fields = {}
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and (field := _field(method, name, kinds)):
            fields[field.name] = field
    fields.setdefault("id", Field("id", ID))
    return ObjectType(name, fields, doc)


def _field(method: ast.FunctionDef | ast.AsyncFunctionDef, owner: str, kinds: Mapping[str, Kind]) -> Field | None:
    """What a method selects on the wire; None for a method that selects nothing."""
    selected: list[tuple[str, bool]] = []
    sent: list[list[ast.expr]] = []
    for call in _calls(method):
        match call:
            case ast.Call(func=ast.Attribute(attr="_select"), args=[ast.Constant(value=str(name)), *_]):
                selected.append((name, False))
            case ast.Call(func=ast.Attribute(attr="execute_sync"), args=[_, ast.Constant(value=str(name)), *_]):
                selected.append((name, True))
            case ast.Call(func=ast.Name(id="Arg"), args=parts):
                sent.append(parts)
    if not selected:
        return None
    name, gives_id = selected[0]
    description, deprecated, texts = _docstring(ast.get_docstring(method) or "")
    hints = {a.arg: a.annotation for a in (*method.args.args, *method.args.kwonlyargs)}
    args = tuple(_argument(arg, hints, texts, kinds, owner) for arg in sent)
    type_ = ID if gives_id or name == "id" else _type_ref(method.returns, kinds, owner)
    return Field(name, type_, args, description, deprecated=deprecated)


def _calls(method: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(method) if isinstance(node, ast.Call))


def _argument(
    sent: list[ast.expr],
    hints: Mapping[str, ast.expr | None],
    texts: Mapping[str, str],
    kinds: Mapping[str, Kind],
    owner: str,
) -> Argument:
    match sent:
        case [ast.Constant(value=str(name)), ast.Name(id=parameter), *default]:
            pass
        case [ast.Constant(value=str(name)), ast.IfExp(orelse=ast.Name(id=parameter)), *default]:
            pass
        case _:
            raise UnknownFormError(f"line {sent[0].lineno}: an argument that is no plain parameter")
    value = _default(default[0]) if default else MISSING
    return Argument(name, _type_ref(hints.get(parameter), kinds, owner), texts.get(parameter, ""), value)


def _default(node: ast.expr) -> Any:
    """An enum's default is its member's name. The client's None stands for an argument that is left out."""
    if isinstance(node, ast.Attribute):
        return node.attr
    value = ast.literal_eval(node)
    return MISSING if value is None else value


def _type_ref(annotation: ast.expr | None, kinds: Mapping[str, Kind], owner: str = "") -> TypeRef:
    match annotation:
        case ast.Constant(value=str(text)):
            return _type_ref(ast.parse(text, mode="eval").body, kinds, owner)
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return dataclasses.replace(_type_ref(left, kinds, owner), optional=True)
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return TypeRef("list", of=_type_ref(inner, kinds, owner))
        case ast.Name(id="Void"):
            return TypeRef("void", "Void", optional=True)
        case ast.Name(id=name) if name in BUILT_IN:
            return TypeRef("scalar", BUILT_IN[name])
        case ast.Name(id="Self"):
            return TypeRef("object", owner)
        case ast.Name(id=name) if name in kinds:
            return TypeRef(kinds[name], name)
    where = f"line {annotation.lineno}: " if annotation else ""
    raise UnknownFormError(where + f"unknown type {ast.unparse(annotation) if annotation else 'nothing'}")


# --- enums and inputs ---------------------------------------------------------------------------
def _described(node: ast.ClassDef) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement of a class with the string literal that follows it."""
    for statement, after in zip(node.body, [*node.body[1:], None], strict=True):
        match after:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield statement, _paragraphs(text)
            case _:
                yield statement, ""


def _enum(node: ast.ClassDef) -> EnumType:
    """The members by name: that is how the client sends and reads them, whatever their values."""
    values = {
        statement.targets[0].id: doc
        for statement, doc in _described(node)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    return EnumType(node.name, values, _paragraphs(ast.get_docstring(node) or ""))


def _input(node: ast.ClassDef, kinds: Mapping[str, Kind]) -> InputType:
    fields = tuple(
        Argument(
            statement.target.id,
            _type_ref(statement.annotation, kinds),
            doc,
            _default(statement.value) if statement.value else MISSING,
        )
        for statement, doc in _described(node)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )
    return InputType(node.name, fields, _paragraphs(ast.get_docstring(node) or ""))


# --- docstrings ---------------------------------------------------------------------------------
def _docstring(text: str) -> tuple[str, str, dict[str, str]]:
    """A numpy-style docstring's description, reason of deprecation, and parameters by Python name."""
    first, *rest = re.split(r"(?:^|\n)([A-Z]\w+)\n-{4,}\n", text)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    description, _, reason = first.replace(".. caution::\n", "").partition(".. deprecated::")
    parameters = re.findall(r"^(\w+):\n((?:(?: {4}.*)?(?:\n|\Z))*)", sections.get("Parameters", ""), re.MULTILINE)
    return (
        _paragraphs(description),
        _paragraphs(reason),
        {name: _paragraphs(body).replace(".. deprecated::", "Deprecated:") for name, body in parameters},
    )


def _paragraphs(text: str) -> str:
    """A text with the line breaks taken out that only keep it narrow."""
    joined = ""
    last = ""
    for line in (line.strip() for line in text.strip().splitlines()):
        first_word = re.match(r"[^\s-]*-?", line)
        narrow = line and last and len(last) + 1 + len(first_word[0] if first_word else "") > WRAPPED_AT
        hyphenated = re.search(r"\w-$", last)
        joined += ("" if hyphenated else " ") + line if narrow else "\n" + line
        last = line
    return joined.strip()
