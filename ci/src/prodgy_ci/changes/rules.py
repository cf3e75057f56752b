"""Which rules of the catalog name the changed paths. Linear in paths and services: folders are looked up, not tried."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .draft import Reason
from .names import json_name
from .rulebook import Rule, Rulebook, Service


class Hit(NamedTuple):
    """A rule that names changed paths, and what is said of that."""

    rule: Rule
    reason: Reason


class Hits(NamedTuple):
    """What the changed paths come to."""

    hits: tuple[Hit, ...]
    ignored: int
    """Paths that the catalog's `ignored` lists and no rule names."""
    outside: int
    """Paths outside the catalog's root that no rule names."""


_EVERYTHING = Rule(name="unmapped", paths=(), all=True)


class _Group:
    """Changed paths that the same rules name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.count = 0


class Rules:
    """The catalog's rules, found by path."""

    def __init__(self, book: Rulebook) -> None:
        pipeline = Rule(name="pipeline", paths=book.pipeline_paths, all=True)
        self._rules = [*book.rules, pipeline]
        named: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            for path in rule.paths:
                there = path if rule is pipeline else book.in_repository(path)
                named.setdefault(there, []).append(number)
        self._named = {path: tuple(numbers) for path, numbers in named.items()}
        self._below: dict[str, set[int]] = {}
        for there, numbers in named.items():
            above = there.rstrip("/").rpartition("/")[0]
            while above:
                self._below.setdefault(above, set()).update(numbers)
                above = above.rpartition("/")[0]
        self._inside = book.in_repository("")
        self._ignored = tuple(p for p in book.ignored if not p.startswith("*"))
        self._endings = tuple(p[1:] for p in book.ignored if p.startswith("*"))
        self._folders: dict[str, tuple[int, ...]] = {"": ()}

    def sort_out(self, paths: Iterable[str]) -> Hits:
        """Every rule that names one of the paths; each path counts for all rules that name it, in whatever order."""
        groups: dict[tuple[int, ...], _Group] = {}
        ignored = outside = 0
        for path in paths:
            numbers = self._numbers(path)
            if not numbers:
                if not path.startswith(self._inside):
                    outside += 1
                    continue
                if self._is_ignored(path.removeprefix(self._inside)):
                    ignored += 1
                    continue
            group = groups.get(numbers)
            if group is None:
                group = groups[numbers] = _Group(path)
            group.path = min(group.path, path)
            group.count += 1
        return Hits(tuple(self._collect(groups)), ignored, outside)

    def _numbers(self, path: str) -> tuple[int, ...]:
        """The rules that name a path: its own name, its folders, and, for a submodule or link, what lies in it."""
        around = self._folder(path.rpartition("/")[0])
        exact = self._named.get(path, ())
        itself = self._named.get(f"{path}/", ())
        below = self._below.get(path, ())
        return tuple(sorted({*around, *exact, *itself, *below})) if exact or itself or below else around

    def _folder(self, folder: str) -> tuple[int, ...]:
        unknown = []
        while folder not in self._folders:
            unknown.append(folder)
            folder = folder.rpartition("/")[0]
        numbers = self._folders[folder]
        for inner in reversed(unknown):
            named = self._named.get(f"{inner}/")
            if named:
                numbers = tuple(sorted({*numbers, *named}))
            self._folders[inner] = numbers
        return numbers

    def _is_ignored(self, path: str) -> bool:
        if "/" not in path and path.endswith(self._endings):
            return True
        return any(path == p or (p.endswith("/") and f"{path}/".startswith(p)) for p in self._ignored)

    def _collect(self, groups: Mapping[tuple[int, ...], _Group]) -> Iterable[Hit]:
        counts: dict[int, int] = {}
        first: dict[int, str] = {}
        for numbers, group in groups.items():
            for number in numbers:
                counts[number] = counts.get(number, 0) + group.count
                first[number] = min(first.get(number, group.path), group.path)
        for number in sorted(counts):
            rule, path = self._rules[number], json_name(first[number])
            if rule is self._rules[-1]:
                yield Hit(rule, Reason(code="pipeline", path=path, count=counts[number]))
            else:
                yield Hit(rule, Reason(code="rule", rule=rule.name, path=path, count=counts[number]))
        if () in groups:
            group = groups[()]
            yield Hit(_EVERYTHING, Reason(code="unmapped", path=json_name(group.path), count=group.count))


def selected(hits: Iterable[Hit], services: Sequence[Service]) -> dict[str, list[Reason]]:
    """The names among the services that the hits select, each with the reasons."""
    names = [service.name for service in services]
    present = frozenset(names)
    by_kind: dict[str, list[str]] = {}
    for service in services:
        by_kind.setdefault(service.kind, []).append(service.name)
    found: dict[str, list[Reason]] = {}
    for hit in hits:
        chosen = dict.fromkeys(name for name in hit.rule.services if name in present)
        chosen.update((name, None) for kind in hit.rule.kinds for name in by_kind.get(kind, ()))
        for name in names if hit.rule.all else chosen:
            found.setdefault(name, []).append(hit.reason)
    return found
