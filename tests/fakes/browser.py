"""A headless Chromium, spoken to over a pair of pipes in its DevTools protocol."""

import base64
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


class Tab:
    """One tab of it."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests, self._answers = requests, answers
        self._last = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> Any:
        """The answer to a command of the protocol."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._requests.write(json.dumps(message).encode() + b"\0")
        self._requests.flush()
        while (answer := self._answer()).get("id") != self._last:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def show(self, page: Path, width: int, *, scheme: str = "light", medium: str = "screen") -> None:
        """Loads the page at a width, in points of the screen."""
        height = 900
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)
        self.call("Page.enable")
        self.call("Page.navigate", url=page.as_uri())
        while self._answer().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is in the page; None where it is nothing."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, file: Path) -> bytes:
        """The whole page as PNG, also written to the file."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))
        return file.read_bytes()

    def _answer(self) -> Any:
        text = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        return json.loads(text)


@contextmanager
def tab(program: str, folder: Path) -> Iterator[Tab]:
    """A tab of a new browser that keeps its files in the folder and reaches no network."""
    near, to_browser = os.pipe()
    from_browser, far = os.pipe()
    # The browser has them as 3 and 4: out of the way of these numbers first.
    from_us, to_us = (fcntl.fcntl(pipe, fcntl.F_DUPFD, 10) for pipe in (near, far))
    options = "--headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --remote-debugging-pipe"
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" {options} --user-data-dir="$1" 3<&{from_us} 4>&{to_us}', program, str(folder)],
            pass_fds=(from_us, to_us),
            stdout=log,
            stderr=log,
        )
    for pipe in (near, far, from_us, to_us):
        os.close(pipe)
    with os.fdopen(to_browser, "wb") as requests, os.fdopen(from_browser, "rb") as answers:
        try:
            made = Tab(requests, answers)
            yield made
        finally:
            process.terminate()
            process.wait(20)
