"""One line of output for each thing that was tried, and waiting without sleeping."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

Message = dict[str, Any]
Fits = Callable[[Message], bool]


class Steps:
    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.failed = 0

    async def step(self, name: str, body: Callable[[], Awaitable[Any]], limit: float = 20) -> None:
        """Runs one step and prints how it went."""
        try:
            with anyio.fail_after(limit):
                await body()
        except Exception:
            self.failed += 1
            print(f"FAILED {self.subject}: {name}")
            print("    " + traceback.format_exc().strip().replace("\n", "\n    "), flush=True)
        else:
            print(f"ok {self.subject}: {name}", flush=True)


class Record:
    """Every message that passed, in order, and a way to wait for one that has not come yet."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._more = anyio.Event()

    def put(self, message: Message) -> None:
        self._messages.append(message)
        self._more.set()
        self._more = anyio.Event()

    def all(self, fits: Fits = lambda message: True) -> list[Message]:
        return [message for message in self._messages if fits(message)]

    async def first(self, fits: Fits) -> Message:
        """The first message that fits, whether it is here already or still to come."""
        while not (here := self.all(fits)):
            await self._more.wait()
        return here[0]
