"""A server over HTTP+SSE made with the official Python SDK. usage: sse_server.py PORT (0: any); prints its URL."""

import socket
import sys

import anyio
import uvicorn
from mcp.server import MCPServer

waiting = cancelled = 0
server = MCPServer("python-sse")


@server.tool()
def large(size: int) -> str:
    """A text of this many characters."""
    return "ü" * (size // 2) + "x" * (size - size // 2)


@server.tool()
async def wait(seconds: float) -> str:
    """Answers late, and counts how often nobody wants the answer any more."""
    global waiting, cancelled
    waiting += 1
    try:
        await anyio.sleep(seconds)
    except anyio.get_cancelled_exc_class():
        cancelled += 1
        raise
    finally:
        waiting -= 1
    return "done"


@server.tool()
def waits() -> str:
    """How many calls of `wait` are under way, and how many were cancelled."""
    return f"{waiting} {cancelled}"


@server.tool()
def length(text: str) -> str:
    """How many characters this is."""
    return str(len(text))


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(f"url http://127.0.0.1:{listener.getsockname()[1]}/sse", flush=True)
config = uvicorn.Config(server.sse_app(), log_level="error", timeout_graceful_shutdown=1)
uvicorn.Server(config).run(sockets=[listener])
