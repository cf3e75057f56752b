"""WinRM: one shell, commands with a deadline, and every error as one of this program's.

pywinrm blocks: `in_thread` runs it beside the event loop. What is called with a `Shell` runs in that thread.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError

import anyio
import anyio.lowlevel
import anyio.to_thread
import requests
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from ...errors import ProdgyError
from .settings import Settings

T = TypeVar("T")

BUSY = 170
TOO_MANY_OPERATIONS = 0x803381A6
BUSY_RETRIES = 3
_UTF_8 = 65001


class Broken(ProdgyError):
    """The connection or the shell was lost: what the machine did is not known."""


class Late(Broken):
    """A command did not end in its time, and was ended."""


class Unreachable(Broken):
    """No connection came about: the machine did nothing."""


class Stopped(ProdgyError):
    """The run was stopped from outside."""


class Shell:
    """One shell on the machine. Its methods block and raise ProdgyError."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self.settings = settings
        self._stop = stop
        self._left = False
        """Whether what runs in it is to go on without us."""
        with _wrapped(settings):
            self._protocol = Protocol(
                settings.endpoint,
                transport="ntlm",
                username=settings.user,
                password=settings.password.get_secret_value(),
                ca_trust_path=str(settings.ca) if settings.ca else None,  # type: ignore[arg-type]  # None: the public ones
                server_cert_validation="validate",
                message_encryption="auto",
                operation_timeout_sec=max(1, int(settings.operation_timeout)),
                read_timeout_sec=max(1, int(settings.operation_timeout)) + 10,
                proxy=None,
            )
            # requests takes a pair, and parts of a second
            self._protocol.transport.read_timeout_sec = (settings.connect_timeout, settings.read_timeout)  # type: ignore[assignment]
            self._id = self._protocol.open_shell(codepage=_UTF_8, noprofile=True)

    def close(self) -> None:
        """Ends what still runs in it. Never raises: the machine closes a shell that is left by itself."""
        with contextlib.suppress(Exception):
            if self._left:
                self._protocol.transport.close_session()
            else:
                self._protocol.close_shell(self._id)

    def start(self, program: str, arguments: list[str]) -> str:
        """Starts a command and returns its id."""
        with _wrapped(self.settings):
            return self._protocol.run_command(self._id, program, arguments, console_mode_stdin=False)

    def send(self, command: str, data: bytes, end: bool = False) -> None:
        """Sends standard input. It may be sent twice where the first answer was lost: the receiver must bear that."""
        for attempt in range(BUSY_RETRIES + 1):
            self.check()
            try:
                with _wrapped(self.settings):
                    self._protocol.send_command_input(self._id, command, data, end)
                return
            except Broken as error:
                cause = error.__cause__
                busy = isinstance(cause, WSManFaultError) and cause.wsman_fault_code == BUSY
                lost = isinstance(cause, requests.ConnectionError | requests.Timeout)
                if attempt == BUSY_RETRIES or not (busy or lost) or isinstance(error, Unreachable):
                    raise
                if lost:
                    self._reconnect()
                self._stop.wait(self.settings.retry_interval)

    def receive(
        self, command: str, seen: Callable[[str], None], deadline: float, survives: bool = False
    ) -> tuple[int, str]:
        """Waits for the command's end; returns its exit code and standard error. `seen` takes its output as it comes.

        Raises Broken once `deadline` seconds have passed; the command is then ended. One that `survives` is left to its
        end when the connection breaks.
        """
        end = time.monotonic() + deadline
        held, errors = b"", b""
        try:
            while True:
                self.check()
                try:
                    with _wrapped(self.settings):
                        out, error, code, done = self._protocol.get_command_output_raw(self._id, command)
                except _Again:
                    out, error, code, done = b"", b"", 0, False
                errors += error
                *lines, held = (held + out).split(b"\n")  # a character can be cut in two
                for line in lines:
                    seen(line.decode("utf-8", "replace") + "\n")
                if done:
                    seen(held.decode("utf-8", "replace"))
                    return code, errors.decode("utf-8", "replace").strip()
                if time.monotonic() > end:
                    raise Late(f"{self.settings.host}: a command did not end within {deadline:.0f} s")
        except ProdgyError as error:
            self._left = survives and not isinstance(error, Late)
            if not self._left:
                with contextlib.suppress(Exception):
                    self._protocol.cleanup_command(self._id, command)
            raise

    def check(self) -> None:
        """Raises Stopped when the run is to stop."""
        if self._stop.is_set():
            raise Stopped("stopped from outside")

    def _reconnect(self) -> None:
        """Leaves the connection, with what NTLM agreed on for it; the shell lives on."""
        self._protocol.transport.close_session()
        self._protocol.transport.encryption = None


@contextmanager
def shell(settings: Settings, stop: threading.Event) -> Iterator[Shell]:
    """A shell that is closed at the end, whatever happens."""
    opened = Shell(settings, stop)
    try:
        yield opened
    finally:
        opened.close()


async def in_thread(settings: Settings, work: Callable[[Shell], T], interruptible: bool = True) -> T:
    """What `work` returns, which runs in a thread with a new shell.

    Cancelled from outside, it waits until the thread has ended: at the next look of it, or, where it is not
    interruptible, when the work is done. So nothing goes on behind the back of who puts things right.
    """
    stop = threading.Event()

    def inside() -> T:
        with shell(settings, stop) as opened:
            return work(opened)

    async def watch() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            if interruptible:
                stop.set()

    outcome: list[T] = []
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await anyio.lowlevel.checkpoint()
        try:
            outcome.append(await anyio.to_thread.run_sync(inside))
        except Exception as error:  # raised below: a task group would wrap it
            failure = error
        group.cancel_scope.cancel()
    await anyio.lowlevel.checkpoint_if_cancelled()
    if failure is not None:
        raise failure
    return outcome[0]


class _Again(Broken):
    """No answer came within the time that the machine holds a request: output may come yet."""


@contextmanager
def _wrapped(settings: Settings) -> Iterator[None]:
    """Raises whatever pywinrm raises as ProdgyError, without what was sent."""
    where = f"{settings.host}:{settings.port}"
    try:
        yield
    except WinRMOperationTimeoutError:
        raise _Again(f"{where}: the request timed out on the machine") from None
    except InvalidCredentialsError:
        raise ProdgyError(
            f"{where}: refused VM_USER {settings.user!r} with VM_PASSWORD; mend them in the variable group; "
            "a local account is written NAME or MACHINE\\NAME"
        ) from None
    except requests.exceptions.SSLError as error:
        raise ProdgyError(f"{where}: {_certificate(error, settings)}") from None
    except requests.exceptions.ConnectTimeout:
        raise Unreachable(f"{where}: no answer within {settings.connect_timeout:.0f} s; {_reach(settings)}") from None
    except requests.exceptions.Timeout as error:
        raise Broken(f"{where}: no answer within {settings.read_timeout:.0f} s") from error
    except requests.exceptions.ConnectionError as error:
        if _never_connected(error):
            raise Unreachable(f"{where}: cannot be reached; {_reach(settings)}") from None
        raise Broken(f"{where}: the connection was broken") from error
    except WSManFaultError as error:
        raise Broken(f"{where}: WinRM refused: {_fault(error)}") from error
    except WinRMTransportError as error:
        raise Broken(f"{where}: WinRM answered HTTP {error.code}; {_reach(settings)}") from error
    except (WinRMError, requests.RequestException) as error:
        raise Broken(f"{where}: WinRM failed: {type(error).__name__}") from error
    except (ParseError, StopIteration, AssertionError, ValueError, TypeError, AttributeError) as error:
        raise Broken(f"{where}: its answer is none of WinRM's: {type(error).__name__}") from error


def _certificate(error: requests.exceptions.SSLError, settings: Settings) -> str:
    text = str(error)
    if "Hostname mismatch" in text or "IP address mismatch" in text or "doesn't match" in text:
        return (
            f"the machine's certificate is not one for {settings.host}; make one with this name or address in it "
            "(docs/windows-vm.md), or write in VM_IP the name that it has"
        )
    if "expired" in text:
        return "the machine's certificate has expired; make a new one (docs/windows-vm.md)"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the machine's certificate is not trusted; give its issuer's certificate with --vm-ca"
    return f"no TLS connection came about; {_reach(settings)}"


def _reach(settings: Settings) -> str:
    return (
        f"is VM_IP right, does the machine run, does its firewall let port {settings.port} through, and does WinRM "
        f"listen for {settings.scheme.upper()} there (winrm enumerate winrm/config/listener)?"
    )


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    reason: Any = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _fault(error: WSManFaultError) -> str:
    if error.wmierror_code == TOO_MANY_OPERATIONS:
        return "this shell has done as many operations as it may"
    code = error.wsman_fault_code or error.wmierror_code
    words = " ".join(str(error.reason or "").split())[:200]
    return f"fault {code}: {words}" if code is not None else words
