"""Reads a command line as `dagger call` does: options, constructor flags, and a chain of functions with their flags."""

from __future__ import annotations

import csv
import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import UsageError
from ..typedefs import Argument, Field, Schema, TypeRef, kebab

PROGRAM = "dagger-podman call"

ADDRESSED = ("CacheVolume", "Container", "Directory", "File", "Secret", "Service", "Socket")
"""The objects that an address on the command line can stand for."""

PAIRS = {"PortForward": ("frontend:backend", "two port numbers"), "BuildArg": ("name=value", "a name")}
"""The inputs that the command line can give, by their form there and what it needs."""

TAKES_VALUE = {"-m": "module", "--mod": "module", "-o": "output", "--output": "output", "--progress": "progress"}
SWITCHES = {"-j": "json", "--json": "json", "-s": "silent", "--silent": "silent", "-h": "help", "--help": "help"}
SWITCHES |= {"-y": "auto_apply", "--auto-apply": "auto_apply"}
OF_THE_ENGINE = ("-q", "-v", "-vv", "-vvv", "-d", "-E")
OF_THE_ENGINE_FIRST = ("--quiet", "--verbose", "--debug", "--no-exit", "--eager-runtime")
"""Switches of `dagger` that decide nothing here; the long ones count only before a function, which may have its own."""
PROGRESS = ("auto", "plain", "tty")
COMMANDS = {
    "call": ("[options] [function]...", "Call a function of a module, and functions of what it returns"),
    "check": ("[options] [--list] [name]...", "Run a module's checks"),
    "functions": ("[options] [function]...", "List a module's functions"),
    "session": ("", "Serve the Dagger API until standard input is closed"),
    "prune": ("[--older-than DAYS] [--keep-size SIZE] [--all]", "Remove what is kept across runs"),
    "doctor": ("[--install]", "Say what is missing on this host, and how to mend it"),
    "completion": ("[bash|zsh]", "Print a script that completes commands and functions"),
    "version": ("", "Print the version"),
}
"""Each command's arguments, and what it does."""
OF_SDKS = ("--label", "--version", "--workdir", "--project", "--load-workspace-modules", "--skip-workspace-modules")
"""Flags that SDKs give a session; the first four have a value."""
KNOWN = {"doctor": ("--install",), "completion": ("bash", "zsh"), "version": (), "--version": (), "session": OF_SDKS}
"""All the words that these commands know."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The command's own options, which may stand anywhere."""

    module: str = ""
    output: str = ""
    json: bool = False
    silent: bool = False
    auto_apply: bool = False
    progress: str = "auto"
    help: bool = False


@dataclasses.dataclass(frozen=True)
class Address:
    """What a user gave for an object: a path, a secret's or service's address, an image."""

    type_name: str
    text: str


@dataclasses.dataclass(frozen=True)
class Step:
    """One function of the chain with the flags that were given."""

    field: Field
    args: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """A whole command line."""

    constructor: dict[str, Any]
    steps: tuple[Step, ...]

    def without_last(self) -> Call:
        return dataclasses.replace(self, steps=self.steps[:-1])


@dataclasses.dataclass(frozen=True)
class Help:
    """A command line that names no function: what could follow is shown."""

    steps: tuple[Step, ...] = ()


# --- options ------------------------------------------------------------------------------------------
def options_last(argv: list[str]) -> list[str]:
    """`-s -m FOLDER call x` → `call -s -m FOLDER x`."""
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] not in ("-h", "--help"):
        at += 2 if argv[at] in TAKES_VALUE else 1
    return [*argv[at : at + 1], *argv[:at], *argv[at + 1 :]]


def split_options(argv: Iterable[str]) -> tuple[Options, list[str]]:
    """The command's own options, and the rest in its order. Raises `UsageError` for one without its value."""
    found: dict[str, Any] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in TAKES_VALUE:
            given = value if equals else next(words, None)
            if given is None:
                raise UsageError(f"flag needs an argument: {name}")
            found[TAKES_VALUE[name]] = given
        elif word in SWITCHES:
            found[SWITCHES[word]] = True
        elif word in OF_THE_ENGINE or (not rest and word in OF_THE_ENGINE_FIRST):
            continue
        else:
            rest.append(word)
    options = Options(**found)
    if options.progress not in PROGRESS:
        raise UsageError(f'unknown progress type "{options.progress}"; use {", ".join(PROGRESS)}')
    return options, rest


def refuse_unknown(command: str, words: Sequence[str]) -> None:
    """Raises `UsageError` for a command that is none, and for a word that a command of few words does not know."""
    if command not in COMMANDS | KNOWN:
        raise UsageError(f'unknown command "{command}" for "dagger-podman" (known: {", ".join(COMMANDS)})')
    for before, word in zip(["", *words], words, strict=False):
        of_sdk = command == "session" and before in OF_SDKS[:4]
        if command in KNOWN and not of_sdk and word.partition("=")[0] not in KNOWN[command]:
            raise UsageError(f'unknown argument "{word}" for "dagger-podman {command}" (see --help)')


# --- the chain ----------------------------------------------------------------------------------------
def parse_call(schema: Schema, main_object: str, argv: list[str], helping: bool = False) -> Call | Help:
    """The chain of functions that the words name. `helping` asks for no required flag.

    Raises `UsageError` for an unknown function or flag, a value of the wrong form, or a required flag that is missing.
    """
    constructor = schema.objects[main_object].constructor or Field("", TypeRef("object", main_object))
    steps = [Step(constructor, {})]
    words = iter(argv)
    for word in words:
        if word.startswith("-"):
            _flag(schema, steps, word, words)
            continue
        if not helping:
            _require(steps)
        type_ = steps[-1].field.type
        if type_.kind == "list" and type_.of:
            type_ = type_.of
        field = functions_of(schema, type_ if steps[1:] else TypeRef("object", main_object)).get(word)
        if field is None:
            raise _usage(
                _unknown_function(schema, type_ if steps[1:] else TypeRef("object", main_object), word, steps), steps
            )
        steps.append(Step(field, {}))
    if helping or len(steps) == 1:
        return Help(tuple(steps[1:]))
    _require(steps)
    return Call(steps[0].args, tuple(steps[1:]))


def functions_of(schema: Schema, type_: TypeRef) -> dict[str, Field]:
    """The functions that the command line can call on a value of a type, by their names there."""
    if type_.kind not in ("object", "interface") or type_.name not in schema.objects:
        return {}
    fields = schema.objects[type_.name].fields.values()
    return {kebab(f.name): f for f in sorted(fields, key=lambda f: kebab(f.name)) if f.name != "id" and is_supported(f)}


def is_supported(field: Field) -> bool:
    """Whether every argument that must be given can be."""
    return all(can_be_given(a.type) for a in field.args if a.required)


def can_be_given(type_: TypeRef) -> bool:
    if type_.kind == "list" and type_.of:
        return type_.of.kind != "list" and can_be_given(type_.of)
    return type_.kind in ("scalar", "enum") or type_.name in ADDRESSED or type_.name in PAIRS


def _flag(schema: Schema, steps: list[Step], word: str, words: Any) -> None:
    step = steps[-1]
    name, equals, value = word.partition("=")
    argument = next((a for a in step.field.args if f"--{kebab(a.name)}" == name and can_be_given(a.type)), None)
    if argument is None:
        known = [f"--{kebab(a.name)}" for a in step.field.args]
        near = difflib.get_close_matches(name, known, 1, 0.7)
        what = "unknown flag" if name.startswith("--") else "unknown shorthand flag"
        raise _usage(f"{what}: {name}" + (f" (did you mean {near[0]}?)" if near else ""), steps)
    if not equals:
        if argument.type.name == "Boolean" and argument.type.kind != "list":
            value = "true"
        elif (following := next(words, None)) is None:
            raise _usage(f"flag needs an argument: {name}", steps)
        else:
            value = following
    try:
        parsed = _value(schema, argument.type, value)
    except ValueError as error:
        raise _usage(f'invalid argument "{value}" for "{name}" flag: {error}', steps) from None
    if argument.type.kind == "list":
        parsed = [*step.args.get(argument.name, []), *parsed]
    step.args[argument.name] = parsed


def _value(schema: Schema, type_: TypeRef, text: str) -> Any:
    """A flag's text as a value. Raises ValueError that says what is needed."""
    if type_.kind == "list" and type_.of:
        of = type_.of
        return [_value(schema, of, part) for part in next(csv.reader([text]), [])]
    if type_.kind == "object":
        return Address(type_.name, text)
    if type_.kind == "input":
        return _pair(type_.name, text)
    if type_.kind == "enum":
        names = list(schema.enums[type_.name].values)
        member = next((n for n in names if n.lower() == text.lower()), None)
        if member is None:
            raise ValueError(f"value should be one of {','.join(sorted(names))}")
        return member
    if type_.name == "Boolean":
        if text.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise ValueError("true or false is needed")
        return text.lower() in ("true", "1", "t")
    if type_.name in ("Int", "Float"):
        try:
            return int(text, 10) if type_.name == "Int" else float(text)
        except ValueError:
            raise ValueError("a whole number is needed" if type_.name == "Int" else "a number is needed") from None
    return text


def _pair(name: str, text: str) -> dict[str, Any]:
    """`8080:80` → a PortForward, `NAME=value` → a BuildArg."""
    form, needed = PAIRS[name]
    numbers = name == "PortForward"
    first, separator, second = text.partition(":" if numbers else "=")
    if not separator or not first or (numbers and not (first.isdigit() and second.isdigit())):
        raise ValueError(f"{form} is needed, with {needed}")
    values = (int(first), int(second)) if numbers else (first, second)
    return dict(zip(form.replace("=", ":").split(":"), values, strict=True))


def _require(steps: list[Step]) -> None:
    step = steps[-1]
    missing = [f'"{kebab(a.name)}"' for a in step.field.args if a.required and a.name not in step.args]
    if missing:
        raise _usage(f"required flag(s) {', '.join(missing)} not set", steps)


def _unknown_function(schema: Schema, type_: TypeRef, word: str, steps: list[Step]) -> str:
    near = difflib.get_close_matches(word, functions_of(schema, type_), 1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    return f'unknown command "{word}" for "{path(steps)}"{hint}'


def path(steps: Iterable[Step]) -> str:
    """`dagger-podman call build label` for steps of which the constructor has no name of its own."""
    return " ".join([PROGRAM, *(kebab(s.field.name) for s in steps if s.field.name)])


def _usage(message: str, steps: list[Step]) -> UsageError:
    return UsageError(f"{message}\nRun '{path(steps)} --help' for usage.")


def required_first(arguments: Iterable[Argument]) -> list[Argument]:
    return sorted(arguments, key=lambda a: (not a.required, a.name))
