"""The official Python SDK's stdio client, through the bridge, against a server over HTTP+SSE made with the same SDK.

usage: sse.py DIRECTORY BRIDGE-COMMAND...   (the server's URL comes behind it)
"""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import anyio
from mcp import MCPError
from session import Session
from steps import Steps

SERVER = Path(__file__).parent / "sse_server.py"
LARGE = 4_000_000


class Server:
    """The server's process, which can be killed and started again on its port."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(SERVER), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1]
        self.port = int(self.url.split(":")[2].split("/")[0])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def parts(session: Session, server: Server):
    client = session.client

    async def reaches(counts: str):
        while await session.text_of("waits") != counts:
            await anyio.sleep(0.02)

    async def opens():
        "a session is opened, and its tools are listed"
        assert "wait" in {tool.name for tool in (await client.list_tools()).tools}

    async def carries_large():
        "large messages arrive whole in both directions"
        text = await session.text_of("large", size=LARGE)
        assert text == "ü" * (LARGE // 2) + "x" * (LARGE // 2)
        assert await session.text_of("length", text="ü" * 1_000_000) == "1000000"

    async def cancels():
        "a cancelled call is cancelled at the server, and the session goes on"
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "wait", {"seconds": 60})
                await reaches("1 0")
                scope.cancel()
        await reaches("0 1")

    async def restarts():
        "a server that is killed in the middle of a call: one error, and the next call works after its restart"
        said = []

        async def call():
            try:
                said.append(await session.text_of("wait", seconds=60))
            except MCPError as error:
                said.append(str(error))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await reaches("1 1")
            await anyio.to_thread.run_sync(server.kill)
            await anyio.to_thread.run_sync(server.start)
        assert len(said) == 1 and "outcome is unknown" in said[0], said
        assert await session.text_of("waits") == "0 0"

    return opens, carries_large, cancels, restarts


async def slow_reader(server: Server, command: list[str]) -> None:
    """Fifty large answers to a client that reads nothing until all are asked for, and then slowly."""
    process = await asyncio.create_subprocess_exec(
        *command, server.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 20
    )

    def line(message: dict) -> bytes:
        return (json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode()

    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "slow", "version": "1"}}
    process.stdin.write(line({"id": 0, "method": "initialize", "params": params}))
    await process.stdout.readline()
    process.stdin.write(line({"method": "notifications/initialized"}))
    for number in range(1, 51):
        call = {"name": "large", "arguments": {"size": 200_000}}
        process.stdin.write(line({"id": number, "method": "tools/call", "params": call}))
    await process.stdin.drain()
    await asyncio.sleep(0.5)
    rest, seen = b"", []
    while len(seen) < 50:
        chunk = await process.stdout.read(256 * 1024)
        assert chunk, "stdout was closed"
        *lines, rest = (rest + chunk).split(b"\n")
        seen += [json.loads(line) for line in lines]
        await asyncio.sleep(0.005)
    assert sorted(message["id"] for message in seen) == list(range(1, 51))
    assert all(len(message["result"]["content"][0]["text"]) == 200_000 for message in seen)
    process.stdin.close()
    assert await process.wait() == 0


async def main() -> int:
    directory, command = Path(sys.argv[1]), sys.argv[2:]
    steps = Steps("python sse server")
    server = Server()
    try:
        session = Session([*command, server.url], directory, able=False)

        async def answered():
            session.assert_answered_once()

        async with session.client:
            for body in parts(session, server):
                await steps.step(body.__doc__, body)
        await steps.step("every request was answered once, the cancelled one never", answered)
        await steps.step("a slow reader gets all of it", lambda: slow_reader(server, command))
    finally:
        server.kill()
    return 1 if steps.failed else 0


sys.exit(asyncio.run(main()))
