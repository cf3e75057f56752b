"""What every place that a service is deployed to can do. The order of the steps is `rollout`'s."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Release:
    """An image that is to serve."""

    service: str
    commit: str
    digest: str
    reference: str
    """HOST/NAME:TAG@DIGEST."""
    files: Path | None = None
    """What an image of files holds, as a folder of this process: a site, or the archive and its release.json."""


@dataclass(frozen=True)
class Serving:
    """What a target serves, or served and can serve again."""

    commit: str
    digest: str | None
    revision: str
    """The target's own name for it: a Container Apps revision, a release's folder."""
    since: str | None
    """UTC, ISO 8601; None where the target does not know."""


class Target(Protocol):
    """One service in one environment. An object serves one deployment: what `prepare` made, `switch` puts to use.

    Every method may raise ProdgyError. `restore` may be called after any of them, also one that failed or was
    cancelled half-way, and leaves what served before, exactly.
    """

    @property
    def service(self) -> str: ...

    async def serving(self) -> Serving | None:
        """What serves now; None where nothing of ours was ever deployed. Sends only reads."""
        ...

    async def state(self) -> str:
        """The same for people, in a few words: what serves, and how well. Sends only reads."""
        ...

    async def problem(self) -> str | None:
        """What is wrong with what serves, by the target's own word; None where it is well. Sends only reads."""
        ...

    async def url(self) -> str | None:
        """Where users reach it; None where it is not reached from outside. Sends only reads."""
        ...

    async def history(self) -> list[Serving]:
        """What can be gone back to, the newest first, without what serves now. Sends only reads."""
        ...

    async def describe(self, release: Release) -> str:
        """What `prepare` and `switch` would send, for people; without secrets. Sends only reads."""
        ...

    async def prepare(self, release: Release) -> None:
        """Does all that changes nothing for users, and waits until it is healthy."""
        ...

    async def prepare_former(self, former: Serving) -> None:
        """The same for something that served before."""
        ...

    async def switch(self) -> Serving:
        """Puts it before the users; refuses where somebody else changed what serves since `prepare`."""
        ...

    async def verify(self) -> None:
        """Returns when users are seen to be served by what was switched to."""
        ...

    async def restore(self) -> None:
        """Puts back exactly what served before."""
        ...

    async def retire(self) -> None:
        """Puts away what is not needed for going back."""
        ...
