"""The `dagger-podman` command."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import store as stores
from .command_line.arguments import COMMANDS, Help, Options, options_last, parse_call, refuse_unknown, split_options
from .errors import DaggerPodmanError, NotAvailableError, UsageError, concerning

if TYPE_CHECKING:
    from .invocation import Invocation
    from .progress import Progress
    from .server import Server


def main() -> None:
    """Run one command and exit with its code. What the system refuses is said as any other mistake is."""
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    code = 1
    try:
        if sys.stdout is None:
            raise UsageError("standard output is closed")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a locale may lack a letter
        code = run(sys.argv[1:])
        with concerning("standard output"):
            sys.stdout.close()
    except BrokenPipeError:
        pass
    except (DaggerPodmanError, OSError, UnicodeError) as error:
        code = report(stores.told(error))
    with contextlib.suppress(OSError, AttributeError):
        sys.stdout.close()  # else Python tries once more what has failed, and says so
    sys.exit(code)


def run(argv: list[str]) -> int:
    """One command; its exit code."""
    if unreadable := [word for word in argv if re.search("[\ud800-\udfff]", word)]:
        raise UsageError(f"the argument {unreadable[0]!a} is not valid {sys.getfilesystemencoding()}")
    command, *rest = options_last(argv) or ["--help"]
    options, words = split_options(rest)
    runners: dict[str, Callable[[list[str]], Awaitable[int]]] = {
        "call": call,
        "check": check,
        "functions": functions,
        "session": session,
        "prune": prune,
    }
    if command in ("-h", "--help", "help") or (options.help and command in {*COMMANDS} - {"call", "prune"}):
        from .command_line.help import usage

        print(usage(command if options.help else "".join(words[:1])), end="")
        return 0
    refuse_unknown(command, words)
    if command == "doctor":
        from .doctor import main as doctor

        return doctor(words)
    if command == "completion":
        from .command_line.completion import script

        print(script(words[0] if words else ""), end="")
        return 0
    if command in ("version", "--version"):
        from importlib.metadata import version

        print(f"dagger-podman {version('dagger-podman')}")
        return 0
    return asyncio.run(_guarded(runners[command], rest))


async def _guarded(run: Callable[[list[str]], Awaitable[int]], argv: list[str]) -> int:
    """Turn the first signal into an orderly end."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run(argv))
    received: list[int] = []

    def stop(number: int) -> None:
        if not received:
            task.cancel()
            try:
                print("\nStopping; what was started is being removed.", file=sys.stderr, flush=True)
            except OSError:  # the window was closed, and no write to it may stop the clearing away
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        code = await task
        return 128 + received[0] if received else code
    except asyncio.CancelledError:
        return 128 + (received[0] if received else signal.SIGINT)


def report(error: DaggerPodmanError) -> int:
    """Print an error as `dagger call` does, the failing command's output last and whole; return the exit code."""
    values = error.extensions() or {}
    print(f"Error: {error}", file=sys.stderr)
    for title, key in (("Stdout", "stdout"), ("Stderr", "stderr")):
        if text := str(values.get(key) or "").rstrip():
            print(f"{title}:\n{text}", file=sys.stderr)
    return error.exit_code or 1


# --- commands -----------------------------------------------------------------------------------------
@contextlib.asynccontextmanager
async def serving(store: stores.Store, progress: Progress) -> AsyncIterator[Server]:
    """A session that answers on a port."""
    from . import types  # noqa: F401  (registers the API's fields)
    from .host import podman_environment
    from .podman import Podman
    from .schema import sdk_schema
    from .server import Server
    from .session import Session

    made = Session(Podman(podman_environment(store.folder)), store, sdk_schema(store), progress)
    progress.scrubber = made.scrubber
    async with made.running(), Server(made).listening() as server:
        yield server


@contextlib.asynccontextmanager
async def loaded(options: Options) -> AsyncIterator[Invocation]:
    """A session with a module loaded into it."""
    from .invocation import Invocation
    from .module import find, load
    from .progress import for_options
    from .runtime import Runtime
    from .user_defaults import with_defaults

    store = stores.Store(stores.default_folder())
    try:
        module = await asyncio.to_thread(load, find(Path(options.module or ".")), store)
    except UsageError as error:
        if options.module:
            raise UsageError(f'resolving module source "{options.module}": {error}') from None
        raise
    async with serving(store, for_options(options.silent, options.progress)) as server:
        runtime = Runtime(server.session, server, module)
        types_, doc = await runtime.types()
        types_ = with_defaults(types_, module, runtime.original)
        yield Invocation(server.session, runtime, server.session.schema.extended(types_), module.main_object, doc)


async def call(argv: list[str]) -> int:
    from .command_line import output
    from .invocation import Object, export, identity, settle
    from .nodes import Node

    options, rest = split_options(argv)
    async with loaded(options) as invocation:
        parsed = parse_call(invocation.schema, invocation.main_object, rest, options.help)
        if isinstance(parsed, Help):
            from .command_line.help import call_help

            print(call_help(invocation.schema, invocation.main_object, parsed, invocation.doc), end="")
            return 0
        session = invocation.session
        *before, last = parsed.steps
        if last.field.name == "export" and before and before[-1].field.type.name in session.schema.objects:
            value, _ = await invocation.run(parsed.without_last())
            print(await export(session, await settle(session, value), Path(str(last.args["path"]))), end="")
            return 0
        value, kind = await invocation.run(parsed)
        await settle(session, value)
        if kind.name == "Changeset" and isinstance(value, Node) and not options.output:
            from .applying import apply

            await apply(session, await session.value(value), options.auto_apply)
            return 0
        if kind.of and kind.of.name == "Changeset":
            raise NotAvailableError("a list of changesets as a result", "return one")
        lists = [i for i, step in enumerate(parsed.steps) if step.field.type.kind == "list"]
        below = [step.field.name for step in parsed.steps[lists[0] + 1 :]] if lists else []
        if options.output and isinstance(value, Node):
            await export(session, value, Path(options.output))
            return 0

        def shown(item: Any) -> Any:
            if isinstance(item, list):
                return [shown(i) for i in item]
            return identity(item) if isinstance(item, Node | Object) else item

        text = output.render(shown(value), kind, options.json, below)
        if options.output and not output.is_object(kind):
            with concerning(options.output):
                Path(options.output).parent.mkdir(parents=True, exist_ok=True)
                Path(options.output).write_text(text, encoding="utf-8")
            return 0
        if options.output:
            said = "is an object, which is printed instead; chain a function that gives a file, directory or text"
            session.progress.notice(f"nothing is written to {options.output}: the result {said}")
        with concerning("standard output"):
            sys.stdout.write(session.scrubber.text(text))
        if text and not text.endswith("\n") and sys.stdout.isatty():
            print()
        return 0


async def functions(argv: list[str]) -> int:
    from .command_line.help import functions_table

    options, rest = split_options(argv)
    async with loaded(options) as invocation:
        print(functions_table(invocation.schema, invocation.main_object, rest), end="")
    return 0


async def check(argv: list[str]) -> int:
    """`check [-l] [NAME…]`: run the functions that are marked as checks, all at once."""
    from .command_line.help import checks_table
    from .typedefs import kebab

    options, rest = split_options([a for a in argv if a not in ("-l", "--list")])
    async with loaded(options) as invocation:
        module = invocation.runtime.module.name
        main = invocation.schema.objects[invocation.main_object]
        found = {f"{module}:{kebab(f.name)}": f for f in main.fields.values() if f.check}
        wanted = {n: f for n, f in found.items() if not rest or n in rest or n.partition(":")[2] in rest}
        if unknown := [name for name in rest if not {name, f"{module}:{name}"} & set(found)]:
            raise UsageError(f'unknown check "{unknown[0]}"; known: {", ".join(sorted(found))}')
        if {"-l", "--list"} & set(argv):
            print(checks_table(wanted), end="")
            return 0
        made = await invocation.main({})
        results = await asyncio.gather(*(_checked(invocation, made, name, f) for name, f in wanted.items()))
        for name, error in results:
            print(f"{'FAILED' if error else 'passed'}  {name}", file=sys.stderr)
            if error:
                report(error)
        return 1 if any(error for _, error in results) else 0


async def _checked(invocation: Any, made: Any, name: str, field: Any) -> tuple[str, DaggerPodmanError | None]:
    from .invocation import settle

    try:
        await settle(invocation.session, await invocation.function(made, field))
    except DaggerPodmanError as error:
        return name, error
    return name, None


async def session(argv: list[str]) -> int:
    """Print port and token as `dagger session` does, and serve until standard input is closed."""
    from .progress import for_options

    store = stores.Store(stores.default_folder())
    async with serving(store, for_options(silent=False, kind="plain")) as server:
        print(json.dumps({"port": server.port, "session_token": server.token()}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, _until_closed)
    return 0


def _until_closed() -> None:
    while os.read(0, 1 << 12):
        pass


async def prune(argv: list[str]) -> int:
    from .prune import run

    return await run(argv)


if __name__ == "__main__":
    main()
