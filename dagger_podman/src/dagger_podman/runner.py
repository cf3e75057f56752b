"""Runs inside the module's container: imports the module once, then forks a process for each function call.

Reads requests as JSON lines, answers with what the calls print and how they end. It uses nothing but the
standard library and the module's own `dagger`.
"""

import base64
import contextlib
import functools
import gc
import inspect
import json
import os
import selectors
import sys
from collections.abc import Callable, Iterator
from importlib import machinery
from types import CodeType, FunctionType
from typing import Any, cast, no_type_check

SOURCE, BYTECODE = "/src", "/dagger-podman-bytecode"


class _BytecodeElsewhere(machinery.SourceFileLoader):
    """Keeps the bytecode of the module's source, which is mounted read-only, in a folder that outlives the session."""

    def get_code(self, fullname: str) -> CodeType | None:
        before = sys.pycache_prefix, sys.dont_write_bytecode
        sys.pycache_prefix, sys.dont_write_bytecode = BYTECODE, False
        try:
            return super().get_code(fullname)
        finally:
            sys.pycache_prefix, sys.dont_write_bytecode = before


def finder(path: str) -> machinery.FileFinder:
    if not f"{path}/".startswith(f"{SOURCE}/"):
        raise ImportError
    compiled = (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES)
    return machinery.FileFinder(path, compiled, (_BytecodeElsewhere, machinery.SOURCE_SUFFIXES))


def checked_when_called(check: Callable[[type], type]) -> Callable[[type], type]:
    """A decorator of classes: each method gets its checks of argument types, by `check`, at its first call.

    The SDK has them made for all methods of its client while it is imported, half of that import's time.
    """

    def decorate(cls: type) -> type:
        if not isinstance(cls, type):
            return check(cls)
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType):
                setattr(cls, name, unchecked(cls, name, method))
        return cls

    def unchecked(cls: type, name: str, method: FunctionType) -> Callable[..., Any]:
        def checked() -> Callable[..., Any]:
            setattr(cls, name, method)
            check(cls)  # passes over what is marked, and what it has decorated
            return cast("Callable[..., Any]", getattr(cls, name))

        @functools.wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            return checked()(*arguments, **options)

        @functools.wraps(method)
        async def call_later(*arguments: Any, **options: Any) -> Any:
            return await checked()(*arguments, **options)

        return no_type_check(call_later if inspect.iscoroutinefunction(method) else call)

    return decorate


@contextlib.contextmanager
def checks_made_when_called() -> Iterator[None]:
    """Meanwhile `beartype` makes decorators of `checked_when_called`'s kind."""
    try:
        import beartype
    except ImportError:  # an SDK that checks otherwise
        yield
        return
    real: Callable[..., Any] = beartype.beartype

    def deferring(*decorated: Any, **options: Any) -> Any:
        return real(*decorated, **options) if decorated else checked_when_called(real(**options))

    beartype.beartype = deferring
    try:
        yield
    finally:
        beartype.beartype = real


def preload() -> None:
    """Import what every call needs. A module that fails to import fails again, visibly, in the call."""
    sys.path_hooks.insert(0, finder)
    gc.disable()  # what an import makes stays
    with contextlib.suppress(Exception), open(os.devnull, "w") as nowhere:
        with contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
            with checks_made_when_called():
                import dagger  # noqa: F401
            from dagger.mod import cli

            cli.get_entry_point().load()
    gc.freeze()
    gc.enable()


def serve_call(environment: dict[str, str]) -> int:
    os.environ.update(environment)
    from dagger.mod import cli

    return cli.app() or 0


def tell(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def start(request: dict[str, object], selector: selectors.BaseSelector) -> None:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(read_end)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(write_end, 1)
            os.dup2(write_end, 2)
            code = serve_call(request["environment"])  # type: ignore[arg-type]
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(write_end)
    selector.register(read_end, selectors.EVENT_READ, (request["id"], pid))


def main() -> None:
    if not os.read(0, 1):  # it comes when the module's source is in its place
        return
    preload()
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ, None)
    buffered = b""
    tell(ready=True)
    while True:
        for key, _ in selector.select():
            data = os.read(key.fd, 1 << 16)
            if key.data is None:
                if not data:
                    os._exit(0)  # the session has ended, and it waits: nothing here is worth taking apart
                *lines, buffered = (buffered + data).split(b"\n")
                for line in lines:
                    start(json.loads(line), selector)
            elif data:
                tell(id=key.data[0], output=base64.b64encode(data).decode())
            else:
                selector.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(key.data[1], 0)
                tell(id=key.data[0], exit=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
