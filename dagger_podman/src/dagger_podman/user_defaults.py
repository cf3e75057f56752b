"""Defaults of arguments out of .env files: the module's own, and the nearest one from the caller's folder upwards."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .command_line.arguments import Address
from .errors import UsageError
from .module import Module
from .typedefs import Argument, Field, ObjectType, Schema, TypeRef
from .types.env_file import EnvFile, parsed


@dataclass(frozen=True)
class UserDefault:
    """A variable of an .env file, read when it is used. `where` is all that is shown, as a value can be a secret."""

    where: str
    type: TypeRef
    file: EnvFile
    name: str

    def __str__(self) -> str:
        return self.where

    def value(self) -> Any:
        try:
            return _typed(self.type, self.file.value(self.name, os.environ))
        except ValueError:
            raise UsageError(f"user default {self}: no {self.type}") from None


def _typed(type_: TypeRef, text: str) -> Any:
    """What is neither text, a whole number nor an object is written as JSON."""
    if of := type_.of:
        return [_typed(of, part.strip() if of.kind == "object" else part) for part in text.split(",")]
    if type_.kind == "object":
        return Address(type_.name, text)
    return text if type_.name == "String" else int(text) if type_.name == "Int" else json.loads(text)


def with_defaults(types: Schema, module: Module, originals: Mapping[str, str]) -> Schema:
    """A module's types with these defaults: `arg` is of the constructor, `fn_arg` of the function `fn`, and of another
    object's with its name before that. In the caller's file, which goes first, the module's name is before all."""
    above = [folder / ".env" for folder in (Path.cwd(), *Path.cwd().parents)]
    outer, inner = next(filter(os.path.exists, above), above[0]), module.folder / ".env"
    readable = (path if path.is_file() and os.access(path, os.R_OK) else Path(os.devnull) for path in (outer, inner))
    callers, own = (parsed(path.read_text(encoding="utf-8", errors="surrogateescape")) for path in readable)
    callers = callers.namespace(module.name)
    if not callers.own and not own.own:
        return types
    context = {**callers.context, **own.own, **callers.own}
    files = [(outer, EnvFile(callers.own, context)), (inner, EnvFile({n: context[n] for n in own.own}, context))]

    def default(argument: Argument, where: str, namespaces: list[str]) -> Argument:
        for path, file in files:
            for prefix in namespaces:
                file = file.namespace(prefix)
            if name := next((n for n in sorted(file.own) if n.lower() == argument.name.lower()), ""):
                shown = f"{where}({argument.name}) from {path}"
                return replace(argument, default=UserDefault(shown, argument.type, file, name), default_path="")
        return argument

    def made(o: ObjectType) -> ObjectType:
        def field(f: Field, where: str, *name: str) -> Field:
            namespaces = [*([] if o.name == module.main_object else [originals.get(o.name, o.name)]), *name]
            return replace(f, args=tuple(default(a, where, namespaces) for a in f.args))

        fields = {n: field(f, f"{module.name}.{n}", f.original or n) for n, f in o.fields.items()}
        return replace(o, fields=fields, constructor=o.constructor and field(o.constructor, module.name))

    return replace(types, objects={n: made(o) for n, o in types.objects.items()})
