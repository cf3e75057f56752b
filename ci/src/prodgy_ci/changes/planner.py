"""Puts the plan together: git facts and the catalog in, a draft of plan.json out."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..errors import InputError
from . import base, deployed, diff, refs, releases, rulebook
from .actions import Facts, decide
from .base import Bases
from .deployed import Deployed
from .draft import Base, Changes, Draft, Event
from .git import Git, GitError, locate
from .history import History
from .names import json_name
from .objects import Commit, Objects
from .options import Options
from .rulebook import FILE_NAME, Rulebook
from .rules import Hit, Rules

_SECONDS_A_DAY = 86400


def make_plan(options: Options) -> Draft:
    """The plan; raises InputError for what is asked, UndeterminedError where git does not tell."""
    _check(options)
    git = locate(options.repository)
    try:
        return _plan(git, options)
    except GitError:
        if not git.is_partial:
            raise
    return _plan(git.online(), options)


def _check(options: Options) -> None:
    refs.full_ref(options.ref, "--ref")
    if options.pull_request_target is not None:
        target = refs.full_ref(options.pull_request_target, "--pull-request-target")
        if not target.startswith("refs/heads/"):
            raise InputError(f"--pull-request-target: {target!r} is not a branch, such as refs/heads/main")
    if options.pull_request_source is not None:
        refs.commit_id(options.pull_request_source, "--pull-request-source")
    if options.working_tree and options.head is not None:
        raise InputError("--head: has no place beside --working-tree, which stands on HEAD")


def _plan(git: Git, options: Options) -> Draft:
    with Objects(git) as objects:
        history = History(git, objects)
        head = _head(history, options)
        book = _rulebook(git, objects, head, options)
        environment = _environment(git, objects, history, book, head, options)
        record = _record(options, environment)
        has_folder = _folders(git, objects, head, options)
        _refuse_strange(book, record, head, has_folder)
        requested = _requested(book, options, has_folder)
        if requested is None:
            bases = base.Chooser(history, head, options).choose(book.services, record, environment)
        else:
            bases = Bases(dict.fromkeys(book.services, Base(chosen="requested")), {})
        changed, hits = _compare(git, history, Rules(book), head, bases, options)
        facts = Facts(
            book=book, bases=bases, hits=hits, requested=requested, recorded=frozenset(record.commits),
            has_folder=has_folder, had_folder=objects.has_folder,
        )  # fmt: skip
        services = decide(facts)
    return Draft(
        ref=options.ref, event=_event(options), environment=environment, head=head.id,
        working_tree=options.working_tree, notes=bases.notes, services=services, changed=changed,
    )  # fmt: skip


def _head(history: History, options: Options) -> Commit:
    name = refs.commit_name(options.head if options.head is not None else "HEAD", "--head")
    head = history.find(name)
    if head is None or not base.is_meant(name, head):
        raise InputError(f"--head: there is no commit {name} in the repository")
    return head


def _rulebook(git: Git, objects: Objects, head: Commit, options: Options) -> Rulebook:
    """The given one, or that of the head: a plan of an old commit goes by the catalog it had."""
    if options.catalog is not None:
        return rulebook.read(_text(options.catalog, "--catalog"), str(options.catalog))
    if options.working_tree:
        file = _work_tree(git) / FILE_NAME
        return rulebook.read(_text(file, FILE_NAME) if file.is_file() else "")
    try:
        return rulebook.read((objects.file(head, FILE_NAME) or b"").decode())
    except UnicodeDecodeError:
        raise InputError(f"{FILE_NAME}: not UTF-8") from None


def _event(options: Options) -> Event:
    if options.services is not None:
        return "manual"
    if options.is_pull_request:
        return "pull-request"
    return "tag" if options.ref.startswith("refs/tags/") else "push"


def _environment(
    git: Git, objects: Objects, history: History, book: Rulebook, head: Commit, options: Options
) -> str | None:
    if options.is_pull_request:
        return None
    environment = refs.environment_of(options.ref, book)
    if environment and options.ref.startswith("refs/tags/"):
        tagged = objects.commit(options.ref)
        if tagged is not None and tagged.id != head.id:
            raise InputError(f"--ref: {options.ref} is the commit {tagged.id[:10]}, and {head.id[:10]} is to be built")
        releases.refuse_unmerged(git, history, book, options.ref, head)
    return environment.name if environment else None


def _record(options: Options, environment: str | None) -> Deployed:
    if options.deployed is None:
        return Deployed()
    record = deployed.load(_text(options.deployed, "--deployed"), str(options.deployed))
    if environment and record.environment and record.environment != environment:
        raise InputError(
            f"{options.deployed}: environment: it is the record of '{record.environment}', "
            f"but {options.ref} stands for '{environment}'"
        )
    return record


def _refuse_strange(book: Rulebook, record: Deployed, head: Commit, has_folder: Callable[[str], bool]) -> None:
    """A catalog of which nothing is there does not say that nothing changed."""
    folders = [book.in_repository(service.path) for service in book.services.values()]
    if folders and not record.commits and not any(map(has_folder, folders)):
        raise InputError(
            f"{FILE_NAME}: the commit {head.id[:10]} has the folder of none of its services ({', '.join(folders[:3])}…): "
            "is it there, and are `root` and each `path` right?"
        )


def _requested(book: Rulebook, options: Options, has_folder: Callable[[str], bool]) -> frozenset[str] | None:
    """The names asked for; None where the changes decide."""
    if options.services is None:
        return None
    names = [name.strip() for name in options.services.split(",")]
    if not all(names):
        raise InputError("--services: give names with commas between, or all")
    chosen = book.choose(names)
    absent = [s for s in chosen if names != ["all"] and not has_folder(book.in_repository(s.path))]
    for service in absent:
        folder = book.in_repository(service.path)
        raise InputError(f"--services: '{service.name}' cannot be built: there is no folder {folder}")
    return frozenset(service.name for service in chosen)


def _folders(git: Git, objects: Objects, head: Commit, options: Options) -> Callable[[str], bool]:
    """Tells whether the head, or the work tree, has a folder."""
    if not options.working_tree:
        return partial(objects.has_folder, head)
    top = _work_tree(git)
    return lambda folder: (top / folder).is_dir()


def _compare(
    git: Git, history: History, rules: Rules, head: Commit, bases: Bases, options: Options
) -> tuple[dict[str, Changes], dict[str, tuple[Hit, ...]]]:
    """By the commit of each base: the changes, and the rules that name them."""
    changed: dict[str, Changes] = {}
    hits: dict[str, tuple[Hit, ...]] = {}
    for id, commit in sorted(bases.commits.items()):
        paths = diff.with_work_tree(git, id) if options.working_tree else diff.between(git, id, head.id)
        found = rules.sort_out(paths)
        hits[id] = found.hits
        changed[id] = Changes(
            commits=history.distance(commit, head)[1],
            days=max(0, head.seconds - commit.seconds) // _SECONDS_A_DAY,
            ignored=found.ignored,
            outside=found.outside,
            paths={json_name(path): status for path, status in paths.items()},
        )
    return changed, hits


def _text(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{what}: cannot read {file}: {error}") from None


def _work_tree(git: Git) -> Path:
    if git.work_tree is None:
        raise InputError("--working-tree: the repository has no work tree; give the folder that holds .git")
    return git.work_tree
