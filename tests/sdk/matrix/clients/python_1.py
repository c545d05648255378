"""A client of version 1 of the official Python SDK, played by ../driver.mjs over stdin and stdout.

usage: python_1.py legacy COMMAND..., or its URL alone: straight to the server
"""

import os
import sys
from contextlib import asynccontextmanager

import anyio
import player
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

_, command, *arguments = sys.argv[1:]


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


@asynccontextmanager
async def transport():
    if arguments:
        async with stdio_client(StdioServerParameters(command=command, args=arguments, env=dict(os.environ))) as pair:
            yield pair
    else:
        async with streamablehttp_client(command) as (read, write, _):
            yield read, write


async def main() -> None:
    requests: dict[int, int] = {}

    async def opened(params, number):
        result = await session.initialize()
        return {"era": "legacy", "name": result.serverInfo.name, "instructions": result.instructions}

    async def call(params, number):
        requests[number] = session._request_id
        report = player.reporter(number)
        return await session.call_tool(params["name"], params.get("arguments"), progress_callback=report)

    async def cancel(number):
        # This version has no cancellation of its own.
        about = types.CancelledNotificationParams(requestId=requests[number], reason="not wanted any more")
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=about)))

    async def complete(params, number):
        kind = types.PromptReference if params["ref"]["type"] == "ref/prompt" else types.ResourceTemplateReference
        context = params.get("context", {}).get("arguments")
        return await session.complete(kind.model_validate(params["ref"]), params["argument"], context)

    def page(params):
        return types.PaginatedRequestParams(cursor=params.get("cursor"))

    deeds = {
        "open": opened,
        "ping": lambda params, number: session.send_ping(),
        "tools/list": lambda params, number: session.list_tools(params=page(params)),
        "tools/call": call,
        "prompts/list": lambda params, number: session.list_prompts(params=page(params)),
        "prompts/get": lambda params, number: session.get_prompt(params["name"], params.get("arguments")),
        "resources/list": lambda params, number: session.list_resources(params=page(params)),
        "resources/templates/list": lambda params, number: session.list_resource_templates(params=page(params)),
        "resources/read": lambda params, number: session.read_resource(params["uri"]),
        "completion/complete": complete,
        "level": lambda params, number: session.set_logging_level(params["level"]),
        "listen": lambda params, number: session.subscribe_resource(params["uri"]),
        "rootsChanged": lambda params, number: session.send_roots_list_changed(),
    }
    async with transport() as (read, write):
        async with ClientSession(
            read,
            write,
            elicitation_callback=elicit,
            sampling_callback=sample,
            list_roots_callback=list_roots,
            logging_callback=log,
            message_handler=told,
            client_info=types.Implementation(name="matrix", version="1.0.0"),
        ) as session:
            await player.play(deeds, cancel)


anyio.run(main)
