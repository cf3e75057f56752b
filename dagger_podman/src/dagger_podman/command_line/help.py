"""Help, and the tables of functions and checks: made from the module's types and their documentation."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable

from ..typedefs import MISSING, Argument, Field, Schema, TypeRef, kebab
from .arguments import COMMANDS, Call, Help, can_be_given, functions_of, is_supported, path, required_first

OPTIONS = (
    ("-h, --help", "Show what can be called, and with which flags"),
    ("-j, --json", "Print the result as JSON"),
    ("-m, --mod string", "The module's folder (the nearest dagger.json from here upwards by default)"),
    ("-o, --output string", "Write the result to this path on the host"),
    ("    --progress string", "auto, plain or tty (default auto)"),
    ("-s, --silent", "Show no progress"),
    ("-y, --auto-apply", "Apply changes that a function returns to this folder without asking"),
)
OF_A_RESULT = ("-j", "-o", "-y")


def usage(command: str) -> str:
    """The help of one command, or of all of them."""
    if command in COMMANDS:
        arguments, what = COMMANDS[command]
        parts = [what, f"USAGE\n  dagger-podman {command} {arguments}".rstrip()]
    else:
        arguments, parts = "[options]", ["USAGE\n  dagger-podman <command> [options]"]
        parts.append("COMMANDS\n" + _rows((f"  {name}", what) for name, (_, what) in COMMANDS.items()))
    if "[options]" in arguments:
        parts.append(_options(OF_A_RESULT if command in ("check", "functions") else ()))
    return "\n\n".join(parts) + "\n"


def _options(without: Iterable[str] = ()) -> str:
    return "OPTIONS\n" + _rows((f"  {name}", text) for name, text in OPTIONS if name[:2] not in without)


def call_help(schema: Schema, main_object: str, parsed: Call | Help, doc: str = "") -> str:
    """The help of the last function of a chain, or of the module."""
    steps = parsed.steps
    main = TypeRef("object", main_object)
    field = steps[-1].field if steps else schema.objects[main_object].constructor or Field("", main)
    functions = functions_of(schema, _element(field.type) if steps else main)
    flags = [a for a in field.args if can_be_given(a.type)]
    start = path(steps)
    usage = start + (" [arguments]" if steps and flags else "" if steps else " [options]")
    usage += " <function>" if functions else ""
    text = field.doc if steps else doc
    parts = [text.strip()] if text.strip() else []
    parts.append(f"USAGE\n  {usage}")
    if functions:
        parts.append("FUNCTIONS\n" + _rows((f"  {name}", _first_line(f.doc)) for name, f in functions.items()))
    if flags:
        rows = (
            (f"      --{kebab(a.name)} {_type(schema, a.type)}".rstrip(), _described(a)) for a in required_first(flags)
        )
        parts.append("ARGUMENTS\n" + _rows(rows))
    if not steps:
        parts.append(_options())
    elif functions:
        parts.append(f'Use "{start} [command] --help" for more information about a command.')
    return "\n\n".join(parts) + "\n"


def functions_table(schema: Schema, main_object: str, chain: list[str]) -> str:
    """The functions of the module, or of what a chain of functions returns."""
    from .arguments import parse_call

    steps = parse_call(schema, main_object, chain, helping=True).steps
    type_ = _element(steps[-1].field.type) if steps else TypeRef("object", main_object)
    functions = functions_of(schema, type_)
    all_fields = schema.objects[type_.name].fields.values() if type_.name in schema.objects else ()
    skipped = sorted(kebab(f.name) for f in all_fields if not is_supported(f))
    text = _table([("Name", "Description"), *((n, _first_line(f.doc)) for n, f in functions.items())])
    if skipped:
        text += f"\nSkipped {len(skipped)} function(s) with unsupported types: {', '.join(skipped)}\n"
    return text


def checks_table(checks: dict[str, Field]) -> str:
    """A module's checks."""
    return _table([("Name", "Description"), *((n, _first_line(f.doc)) for n, f in sorted(checks.items()))])


def _element(type_: TypeRef) -> TypeRef:
    return type_.of if type_.kind == "list" and type_.of else type_


def _table(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows) + 3
    return "".join(f"{name:<{width}}{text}\n" for name, text in rows)


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    """Names and texts in two columns, the texts wrapped to the terminal."""
    listed = list(rows)
    width = max(len(name) for name, _ in listed) + 3
    room = max(30, min(shutil.get_terminal_size().columns, 120) - width)
    lines = []
    for name, text in listed:
        first, *others = textwrap.wrap(text, room) or [""]
        lines.append(f"{name:<{width}}{first}".rstrip())
        lines += [" " * width + line for line in others]
    return "\n".join(lines)


def _first_line(doc: str) -> str:
    return doc.strip().partition("\n")[0].strip() or "-"


def _described(argument: Argument) -> str:
    text = " ".join(argument.doc.split())
    if argument.required:
        return f"{text} [required]".strip()
    if argument.default in (MISSING, None, False, "") or argument.default == []:
        return text
    return f"{text} (default {_default(argument)})".strip()


def _default(argument: Argument) -> str:
    value = argument.default
    return str(value) if argument.type.kind == "enum" else json.dumps(value, default=str)


def _type(schema: Schema, type_: TypeRef) -> str:
    """The form of a flag's value. A boolean's needs none."""
    if type_.kind == "list" and type_.of:
        return {"Boolean": "bools"}.get(type_.of.name, _type(schema, type_.of) + "s")
    if type_.kind == "enum":
        return ",".join(sorted(schema.enums[type_.name].values))
    return {"String": "string", "Int": "int", "Float": "float", "Boolean": ""}.get(type_.name, type_.name)
