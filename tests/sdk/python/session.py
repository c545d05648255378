"""An official Python client that launched the bridge, with a record of both directions."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from steps import Message, Record

OBSERVE = Path(__file__).parent.parent / "observe"


class Recorded:
    """A stream of a transport that writes down what passes through it."""

    def __init__(self, stream: Any, record: Record) -> None:
        self._stream = stream
        self._record = record

    def _noted(self, item: Any) -> Any:
        if not isinstance(item, Exception):
            self._record.put(item.message.model_dump(by_alias=True, exclude_unset=True))
        return item

    async def send(self, item: Any) -> None:
        await self._stream.send(self._noted(item))

    async def receive(self) -> Any:
        return self._noted(await self._stream.receive())

    def __aiter__(self) -> "Recorded":
        return self

    async def __anext__(self) -> Any:
        return self._noted(await self._stream.__anext__())

    async def __aenter__(self) -> "Recorded":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> bool | None:
        return await self._stream.__aexit__(*exception)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Session:
    """A client, how it answers the server, and what it sent and received."""

    def __init__(self, command: list[str], directory: Path, *, able: bool, mode: str = "auto") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.sent = Record()
        self.received = Record()
        self.roots = {"engine": "file:///home/ada/engine"}
        self.elicited: Callable[[Any], types.ElicitResult] = lambda params: types.ElicitResult(action="cancel")
        callbacks = {
            "sampling_callback": self._sample,
            "elicitation_callback": self._elicit,
            "list_roots_callback": self._list_roots,
        }
        self.client = Client(
            self._transport(StdioServerParameters(command=str(OBSERVE), args=[str(directory), *command])),
            mode=mode,
            read_timeout_seconds=15,
            **(callbacks if able else {}),
        )

    @asynccontextmanager
    async def _transport(self, parameters: StdioServerParameters) -> AsyncGenerator[Any]:
        async with stdio_client(parameters) as (read, write):
            yield Recorded(read, self.received), Recorded(write, self.sent)

    async def _sample(self, context: Any, params: Any) -> types.CreateMessageResult:
        heard = types.TextContent(type="text", text=f"heard: {params.messages[0].content.text}")
        return types.CreateMessageResult(role="assistant", model="stand-in", content=heard, stop_reason="endTurn")

    async def _elicit(self, context: Any, params: Any) -> types.ElicitResult:
        return self.elicited(params)

    async def _list_roots(self, context: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(name=name, uri=uri) for name, uri in self.roots.items()])

    async def text_of(self, tool: str, **arguments: Any) -> str:
        """All the text that a tool answers with."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        return "\n".join(block.text for block in result.content if block.type == "text")

    async def logged(self, text: str) -> Message:
        return await self.received.first(
            lambda message: message.get("method") == "notifications/message" and text in message["params"]["data"]
        )

    def assert_answered_once(self) -> None:
        """Each request of the client has been answered once; one that was cancelled, never."""
        cancellations = self.sent.all(lambda message: message.get("method") == "notifications/cancelled")
        cancelled = {message["params"]["requestId"] for message in cancellations}
        for request in self.sent.all(lambda message: "method" in message and "id" in message):
            answers = self.received.all(
                lambda message, request=request: "method" not in message and message.get("id") == request["id"]
            )
            assert len(answers) == (0 if request["id"] in cancelled else 1), (request, answers)

    def assert_asked_once(self) -> None:
        """Nothing that the server asked has been asked twice."""
        requests = self.received.all(lambda message: "method" in message and "id" in message)
        asked = [request["id"] for request in requests]
        assert len(asked) == len(set(asked)), asked

    def assert_bridge_left_cleanly(self) -> None:
        """One was launched; it has ended by itself with exit code 0, has printed nothing and left no process."""
        (process,) = self.directory.iterdir()
        seen = {file.name: file.read_text().strip() for file in process.iterdir()}
        assert "signal" not in seen, "it left too late: the client sent SIGTERM"
        assert seen["exit"] == "0", seen
        assert not Path("/proc", seen["pid"]).exists(), "its process is still there"
        assert os.environ.get("BRIDGE_STDERR") == "any" or not seen["stderr"], seen
