"""Expressions of Azure Pipelines, as far as the pipelines here use them: calls, texts in '…', and references."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Value = str | bool
Lookup = Callable[[tuple[str, ...]], str]
"""The value of a reference such as variables['Build.Reason'], given as its parts; an empty text where there is none."""

_TOKEN = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<name>[A-Za-z_]\w*)|(?P<sign>[().,\[\]]))")
_COMPILE_TIME = re.compile(r"\$\{\{(.*?)\}\}")
_BRANCH = re.compile(r"\$\{\{\s*(if|elseif|else)\b(.*)\}\}", re.DOTALL)


def evaluate(expression: str, lookup: Lookup, functions: Mapping[str, Callable[..., Value]] | None = None) -> Value:
    """The value of an expression. Texts are compared without regard to case, as Azure does."""
    known: dict[str, Callable[..., Value]] = {
        "eq": lambda a, b: _same(a, b),
        "ne": lambda a, b: not _same(a, b),
        "and": lambda *terms: all(terms),
        "or": lambda *terms: any(terms),
        "not": lambda term: not term,
        "in": lambda value, *others: any(_same(value, other) for other in others),
        "startsWith": lambda text, start: str(text).lower().startswith(str(start).lower()),
        **(functions or {}),
    }
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(expression.rstrip()):
        if (match := _TOKEN.match(expression, position)) is None:
            raise ValueError(f"not understood: {expression[position:]!r}")
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        position = match.end()

    def take(wanted: str | None = None) -> tuple[str, str]:
        kind, text = tokens.pop(0)
        if wanted is not None and text != wanted:
            raise ValueError(f"{wanted!r} expected instead of {text!r} in {expression!r}")
        return kind, text

    def following(sign: str) -> bool:
        return bool(tokens) and tokens[0] == ("sign", sign)

    def term() -> Value:
        kind, text = take()
        if kind == "text":
            return text.replace("''", "'")
        if not following("("):
            return lookup((text, *parts()))
        take("(")
        arguments = []
        while not following(")"):
            arguments.append(term())
            if following(","):
                take(",")
        take(")")
        return known[text](*arguments)

    def parts() -> list[str]:
        found = []
        while following(".") or following("["):
            if take()[1] == ".":
                found.append(take()[1])
            else:
                found.append(take()[1])
                take("]")
        return found

    value = term()
    if tokens:
        raise ValueError(f"not understood: the end of {expression!r}")
    return value


def expand(node: Any, lookup: Lookup) -> Any:
    """A part of the YAML with its ${{ … }} carried out: conditional entries kept or dropped, values put in."""
    if isinstance(node, str):
        return _COMPILE_TIME.sub(lambda match: str(evaluate(match[1], lookup)), node)
    if isinstance(node, list):
        result: list[Any] = []
        taken = False
        for item in node:
            match = _BRANCH.fullmatch(next(iter(item))) if isinstance(item, dict) and len(item) == 1 else None
            if match is None:
                result.append(expand(item, lookup))
                continue
            chosen, taken = _choose(match, taken, lookup)
            if chosen:
                result += expand(next(iter(item.values())), lookup)
        return result
    if isinstance(node, dict):
        mapping: dict[str, Any] = {}
        taken = False
        for key, value in node.items():
            if (match := _BRANCH.fullmatch(key)) is None:
                mapping[key] = expand(value, lookup)
                continue
            chosen, taken = _choose(match, taken, lookup)
            if chosen:
                mapping |= expand(value, lookup)
        return mapping
    return node


def _choose(match: re.Match[str], taken: bool, lookup: Lookup) -> tuple[bool, bool]:
    """Whether a branch is chosen, and whether one of its chain is by now."""
    word, condition = match[1], match[2]
    earlier = False if word == "if" else taken
    chosen = not earlier and (word == "else" or bool(evaluate(condition, lookup)))
    return chosen, earlier or chosen


def _same(one: Value, other: Value) -> bool:
    return str(one).lower() == str(other).lower()
