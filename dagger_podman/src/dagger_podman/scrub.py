"""Takes secrets out of output, also where one is split across two reads."""

from __future__ import annotations


class Scrubber:
    """Knows the session's secrets. Very short values are left alone: hiding every `a` would hide the output."""

    SHORTEST = 3

    def __init__(self) -> None:
        self._values: set[bytes] = set()

    def add(self, value: bytes) -> None:
        """Hide `value`, and each of its lines where it has several."""
        for part in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
            if len(part) >= self.SHORTEST:
                self._values.add(part)

    def clean(self, data: bytes) -> bytes:
        for value in sorted(self._values, key=len, reverse=True):
            data = data.replace(value, b"***")
        return data

    def text(self, data: str) -> str:
        return self.clean(data.encode(errors="surrogateescape")).decode(errors="replace")

    def stream(self) -> Stream:
        return Stream(self)

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a secret."""
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(data)), longest, -1):
                if data.endswith(value[:size]):
                    longest = size
                    break
        return longest


class Stream:
    """Output that arrives in pieces: what may be the beginning of a secret waits for the next piece."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber, self._rest = scrubber, b""

    def feed(self, data: bytes) -> bytes:
        data = self._scrubber.clean(self._rest + data)
        keep = self._scrubber.held_back(data)
        self._rest = data[len(data) - keep :] if keep else b""
        return data[: len(data) - keep]

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return self._scrubber.clean(rest)
