"""A client of version 2 of the official Python SDK, played by ../driver.mjs over stdin and stdout.

usage: python_2.py auto|modern|legacy COMMAND..., or its URL alone: straight to the server
"""

import os
import sys
import warnings

import anyio
import mcp_types as types
import player
from mcp import Client, MCPDeprecationWarning
from mcp.client.stdio import StdioServerParameters

mode, command, *arguments = sys.argv[1:]
warnings.simplefilter("ignore", MCPDeprecationWarning)
LISTENED = {"tools_list_changed": True, "prompts_list_changed": True, "resources_list_changed": True}


async def elicit(context, params) -> types.ElicitResult:
    return types.ElicitResult.model_validate(await player.elicited(params))


async def sample(context, params) -> types.CreateMessageResult:
    return types.CreateMessageResult.model_validate(player.sampled(params))


async def list_roots(context) -> types.ListRootsResult:
    return types.ListRootsResult.model_validate(player.roots())


async def log(params) -> None:
    player.event(event="log", level=params.level, data=params.data)


async def told(message) -> None:
    player.told(message)


class Calls:
    """What is under way, and how it is given up."""

    def __init__(self) -> None:
        self.scopes: dict[int, anyio.CancelScope] = {}

    async def run(self, number: int, work):
        with anyio.CancelScope() as self.scopes[number]:
            return await work
        raise RuntimeError("not wanted any more")

    async def cancel(self, number: int) -> None:
        self.scopes[number].cancel()


async def main() -> None:
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ)) if arguments else command
    client = Client(
        server,
        mode="2026-07-28" if mode == "modern" else mode,
        read_timeout_seconds=20,
        elicitation_callback=elicit,
        sampling_callback=sample,
        list_roots_callback=list_roots,
        logging_callback=log,
        message_handler=told,
        client_info=types.Implementation(name="matrix", version="1.0.0"),
    )
    calls = Calls()
    level = {}

    def is_modern() -> bool:
        return client.protocol_version >= "2026-07-28"

    async def opened(params, number):
        era = "modern" if is_modern() else "legacy"
        return {"era": era, "name": getattr(client.server_info, "name", None), "instructions": client.instructions}

    async def call(params, number):
        report = player.reporter(number)
        work = client.call_tool(params["name"], params.get("arguments"), progress_callback=report, meta=level or None)
        return await calls.run(number, work)

    async def set_level(params, number):
        if is_modern():
            level["io.modelcontextprotocol/logLevel"] = params["level"]
        else:
            await client.set_logging_level(params["level"])

    async def listen(params, number):
        if not is_modern():
            return await client.subscribe_resource(params["uri"])
        acknowledged = anyio.Event()
        tasks.start_soon(listening, params["uri"], acknowledged)
        await acknowledged.wait()

    async def listening(uri, acknowledged):
        async with client.listen(**LISTENED, resource_subscriptions=[uri]) as subscription:
            acknowledged.set()
            async for _ in subscription:
                pass

    async def complete(params, number):
        kind = types.PromptReference if params["ref"]["type"] == "ref/prompt" else types.ResourceTemplateReference
        context = params.get("context", {}).get("arguments")
        return await client.complete(kind.model_validate(params["ref"]), params["argument"], context)

    deeds = {
        "open": opened,
        "ping": lambda params, number: client.send_ping(),
        "tools/list": lambda params, number: client.list_tools(cursor=params.get("cursor"), cache_mode="bypass"),
        "tools/call": call,
        "prompts/list": lambda params, number: client.list_prompts(cursor=params.get("cursor")),
        "prompts/get": lambda params, number: client.get_prompt(params["name"], params.get("arguments")),
        "resources/list": lambda params, number: client.list_resources(cursor=params.get("cursor")),
        "resources/templates/list": lambda params, number: client.list_resource_templates(),
        "resources/read": lambda params, number: client.read_resource(params["uri"]),
        "completion/complete": complete,
        "level": set_level,
        "listen": listen,
        "rootsChanged": lambda params, number: client.send_roots_list_changed(),
    }
    async with client, anyio.create_task_group() as tasks:
        await player.play(deeds, calls.cancel)
        tasks.cancel_scope.cancel()


anyio.run(main)
