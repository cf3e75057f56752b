"""EnvFile: lines of NAME=value. A value's quotes, escapes and references to variables are read as a shell reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..session import Session
from ..state import Container
from ..typedefs import kebab
from ..values import FileValue, new_file
from .file import text_of

NOTE = "quotes, escapes, `$A`, `${A}` and `${A:-x}` are read; a module sees no variables of the environment"
REFERENCE = r"\$(?P<brace>\{)?(?P<name>[A-Za-z_0-9]+)(?(brace)(?::?-(?P<default>(?:[^{}]|\$\{[^{}]*\})*))?\})"
UNKNOWN = r"`|\$[{(\[@*#?!$-]"
QUOTED = re.compile(r"\\(?P<text>[\"\\$`])|" + REFERENCE.replace("{}", "{}'") + f"|(?P<unknown>{UNKNOWN})")
PLAIN = re.compile(
    r"'(?P<text>[^']*)'|\"(?P<quoted>(?:\\.|[^\"\\])*)\"|\\(?P<escaped>.)|(?P<gap>[ \t]+(?:#.*)?)"
    rf"|{REFERENCE}|(?P<unknown>{UNKNOWN}|\$[\"']|['\"\\;&|<>()\n])"
)


@dataclass(frozen=True)
class EnvFile:
    """Values as they were written; `context` holds further ones, for them to refer to."""

    own: Mapping[str, str]
    context: Mapping[str, str]

    def namespace(self, prefix: str) -> EnvFile:
        """The names that begin with `my_app_` or `myApp_` for `my-app`, in any case, without that."""
        words = kebab(prefix).split("-")
        begins = re.compile(f"({''.join(words)}|{'_'.join(words)})_", re.IGNORECASE)
        own = {begins.sub("", n, count=1): v for n, v in sorted(self.own.items()) if begins.match(n)}
        return EnvFile(own, {**self.context, **{n: v for n, v in self.own.items() if not begins.match(n)}})

    def value(self, name: str, environment: Mapping[str, str], within: tuple[str, ...] = ()) -> str:
        """What a name stands for, here or else in `environment`."""
        known = {**self.context, **self.own}
        if name not in known:
            return environment.get(name, "")
        if name in within or name.startswith("#"):
            return ""  # in a circle nothing is set; a comment is a name on Dagger
        if not name.isidentifier():
            raise DaggerPodmanError(f"parse error: {name!r}: not a bare assignment")
        if not re.search(r"[`\"'\\]|\$[A-Za-z_{(]", known[name]):
            return known[name]
        return re.sub("\0+", " ", self._read(PLAIN, known[name], environment, (*within, name)).strip("\0"))

    def _read(self, tokens: re.Pattern[str], text: str, environment: Mapping[str, str], within: tuple[str, ...]) -> str:
        """A text with zero bytes for the gaps between words. Errors show nothing of it, as it can be a secret."""

        def replaced(token: re.Match[str]) -> str:
            match token.lastgroup:
                case "quoted":
                    return self._read(QUOTED, token["quoted"], environment, within)
                case "gap":
                    return "\0"
                case "unknown":
                    raise DaggerPodmanError(f"{within[-1]}: {token[0]} is not understood; quotes and ${{A:-x}} are")
                case "name" | "default":
                    if value := self.value(token["name"], environment, within):
                        return value if tokens is QUOTED else re.sub(r"[ \t\n]+", "\0", value)
                    if token["default"] is None:
                        raise DaggerPodmanError(
                            f"{within[-1]}: refers to an unbound variable; a value with $ stands in '…'"
                        )
                    return self._read(tokens, token["default"], environment, within)
            return token[token.lastgroup or 0]

        return tokens.sub(replaced, text)


def parsed(text: str) -> EnvFile:
    lines = (re.sub(r"^export\s+", "", line.strip()).partition("=") for line in text.split("\n") if line.strip())
    return EnvFile({name: value for name, _, value in lines}, {})


computed(
    "EnvFile",
    exists=lambda e, name: name in e.own,
    namespace=lambda e, prefix: e.namespace(prefix),
    withVariable=lambda e, name, value: replace(e, own={**e.own, name: value}),
    withoutVariable=lambda e, name: replace(e, own={n: v for n, v in e.own.items() if n != name}),
)


@field("Query")
async def env_file(_: Session, expand: bool = False) -> EnvFile:
    return EnvFile({}, {})


@field("File", note=NOTE)
async def as_env_file(session: Session, f: FileValue, expand: bool = False) -> EnvFile:
    return parsed(text_of(session, f))


@field("EnvFile")
async def as_file(session: Session, e: EnvFile) -> FileValue:
    return new_file(session.store, ".env", "".join(f"{name}={value}\n" for name, value in e.own.items()))


@field("EnvFile")
async def get(session: Session, e: EnvFile, name: str, raw: bool = False) -> str:
    environment = {} if "module" in session.memory else os.environ  # none of a module's business
    return e.own.get(name, "") if raw or name not in e.own else e.value(name, environment)


@field("EnvFile")
async def variables(session: Session, e: EnvFile, raw: bool = False) -> list[tuple[str, str]]:
    return [(name, await get(session, e, name, raw)) for name in sorted(e.own)]


@field("Container")
async def with_env_file_variables(session: Session, c: Container, source: EnvFile) -> Container:
    for name, value in await variables(session, source):
        c = c.having("env", name, value)
    return c
