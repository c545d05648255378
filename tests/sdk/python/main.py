"""The official Python SDK's stdio client, through the bridge, against the everything server.

usage: main.py DIRECTORY BRIDGE-COMMAND...
"""

import asyncio
import base64
import functools
import json
import os
import sys
import warnings
from pathlib import Path

import anyio
import mcp_types as types
from mcp import MCPDeprecationWarning, MCPError
from session import Session
from steps import Steps

DOCUMENT = "demo://resource/static/document/features.md"


async def everything(steps: Steps, command: list[str], directory: Path) -> None:
    """A client with every capability that negotiates the way current clients do by default."""
    session = Session(command, directory, able=True)
    async with session.client:
        for part in (opening, tools, progress_and_cancellation, questions, resources, logging, prompts, errors):
            for body in part(session):
                await steps.step(body.__doc__, body)
    await steps.step("every request was answered once, the cancelled one never", of(session.assert_answered_once))
    await steps.step("nothing was asked of the client twice", of(session.assert_asked_once))
    leaves = "the bridge leaves with its client: exit code 0, silent, nothing left behind"
    await steps.step(leaves, of(session.assert_bridge_left_cleanly))


def of(check):
    async def body():
        check()

    return body


def of_method(method: str):
    return lambda message: message.get("method") == method


def opening(session: Session):
    client = session.client

    async def falls_back():
        "server/discover is answered with method not found, and the client falls back on initialize"
        methods = [message.get("method") for message in session.sent.all()]
        assert methods[:3] == ["server/discover", "initialize", "notifications/initialized"], methods
        assert session.received.all()[0]["error"]["code"] == -32601, session.received.all()[0]
        assert client.protocol_version == "2025-11-25"
        assert client.server_info.name == "mcp-servers/everything"
        assert client.instructions.startswith("# Everything Server")

    async def ping():
        "ping is answered"
        await client.send_ping()

    async def roots_arrive():
        "the server asks for the roots on its own stream and tells that it has them"
        await session.logged("Roots updated: 1 root(s)")

    return falls_back, ping, roots_arrive


def tools(session: Session):
    client = session.client

    async def lists():
        "tools are listed with their schemas and annotations"
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert len(listed) == 17, sorted(listed)
        assert listed["get-structured-content"].output_schema["required"] == ["temperature", "conditions", "humidity"]
        assert listed["echo"].annotations.read_only_hint is True

    async def echoes():
        "echo returns what it was given, whatever the script"
        message = 'Grüße, 世界 🦀 \u2028 "quoted" \\ \n tab\t'
        assert await session.text_of("echo", message=message) == f"Echo: {message}"

    async def adds():
        "get-sum adds"
        assert await session.text_of("get-sum", a=2.5, b=40) == "The sum of 2.5 and 40 is 42.5."

    async def shows_environment():
        "get-env shows the environment of the server"
        environment = json.loads(await session.text_of("get-env"))
        assert environment["EVERYTHING_MARK"] == "set by the acceptance run"

    async def annotates():
        "get-annotated-message keeps its annotations"
        result = await client.call_tool("get-annotated-message", {"messageType": "error", "includeImage": True})
        text, image = result.content
        assert (text.annotations.priority, text.annotations.audience) == (1.0, ["user", "assistant"])
        assert (image.annotations.priority, image.annotations.audience) == (0.5, ["user"])

    async def structures():
        "get-structured-content fits the schema that the tool declared"
        result = await client.call_tool("get-structured-content", {"location": "Los Angeles"})
        assert result.structured_content == {"temperature": 73, "conditions": "Sunny / Clear", "humidity": 48}

    async def draws():
        "get-tiny-image is a PNG"
        image = (await client.call_tool("get-tiny-image")).content[1]
        assert image.mime_type == "image/png" and base64.b64decode(image.data)[1:4] == b"PNG"

    async def links():
        "get-resource-links and get-resource-reference name resources"
        result = await client.call_tool("get-resource-links", {"count": 4})
        assert [str(link.uri).rsplit("/", 2)[1] for link in result.content[1:]] == ["blob", "text", "blob", "text"]
        result = await client.call_tool("get-resource-reference", {"resourceType": "Blob", "resourceId": 3})
        assert b"Resource 3: This is a base64 blob" in base64.b64decode(result.content[1].resource.blob)

    async def runs_at_once():
        "fifty calls at once each get their own answer"
        texts = await asyncio.gather(*(session.text_of("get-sum", a=a, b=1000) for a in range(50)))
        assert texts == [f"The sum of {a} and 1000 is {a + 1000}." for a in range(50)]

    return lists, echoes, adds, shows_environment, annotates, structures, draws, links, runs_at_once


def progress_and_cancellation(session: Session):
    client = session.client
    operation = "trigger-long-running-operation"

    async def tells_progress():
        "a long-running operation tells its progress, step by step and before its result"
        seen = []

        async def on_progress(progress, total, message):
            seen.append((progress, total))

        result = await client.call_tool(operation, {"duration": 0.5, "steps": 5}, progress_callback=on_progress)
        assert seen == [(step, 5) for step in range(1, 6)], seen
        assert result.content[0].text == "Long running operation completed. Duration: 0.5 seconds, Steps: 5."

    async def cancels():
        "a running call is cancelled and the session stays usable"
        with anyio.CancelScope() as scope:

            async def on_progress(progress, total, message):
                scope.cancel()

            await client.call_tool(operation, {"duration": 1, "steps": 10}, progress_callback=on_progress)
        assert scope.cancelled_caught
        await session.sent.first(of_method("notifications/cancelled"))
        assert await session.text_of("echo", message="still here") == "Echo: still here"

    return tells_progress, cancels


def questions(session: Session):
    client = session.client

    async def roots():
        "roots/list_changed makes the server ask again"
        assert "1. engine\n   URI: file:///home/ada/engine" in await session.text_of("get-roots-list")
        session.roots["notes"] = "file:///home/ada/notes"
        await client.send_roots_list_changed()
        await session.logged("Roots updated: 2 root(s)")
        assert "2. notes\n   URI: file:///home/ada/notes" in await session.text_of("get-roots-list")

    async def sampling():
        "a sampling request is answered by the client while the call waits"
        text = await session.text_of("trigger-sampling-request", prompt="why?", maxTokens=9)
        assert '"text": "heard: Resource trigger-sampling-request context: why?"' in text, text

    async def accepts():
        "an elicitation form can be accepted"
        session.elicited = lambda params: types.ElicitResult(action="accept", content={"name": "Ada", "integer": 7})
        text = await session.text_of("trigger-elicitation-request")
        assert "- Name: Ada" in text and "- Favorite Integer: 7" in text, text

    async def declines():
        "an elicitation form can be declined"
        session.elicited = lambda params: types.ElicitResult(action="decline")
        assert "declined" in await session.text_of("trigger-elicitation-request")

    async def opens_url():
        "a URL elicitation is shown and accepted"
        session.elicited = lambda params: types.ElicitResult(action="accept" if params.mode == "url" else "decline")
        text = await session.text_of("trigger-url-elicitation", url="https://example.com/p", elicitationId="python")
        assert "completed the URL elicitation flow" in text, text

    return roots, sampling, accepts, declines, opens_url


def resources(session: Session):
    client = session.client

    async def reads():
        "resources are listed and read"
        listed = (await client.list_resources()).resources
        assert DOCUMENT in [str(resource.uri) for resource in listed]
        document = (await client.read_resource(DOCUMENT)).contents[0]
        assert document.mime_type == "text/markdown"
        assert document.text.startswith("# Everything Server - Features")

    async def reads_templates():
        "resource templates are listed, filled in and read"
        templates = [template.uri_template for template in (await client.list_resource_templates()).resource_templates]
        assert sorted(templates) == [f"demo://resource/dynamic/{kind}/{{resourceId}}" for kind in ("blob", "text")]
        contents = (await client.read_resource(templates[0].replace("{resourceId}", "12"))).contents
        assert "Resource 12" in contents[0].text

    async def is_told_of_updates():
        "an update of a subscribed resource is received"
        await client.subscribe_resource(DOCUMENT)
        assert (await session.text_of("toggle-subscriber-updates")).startswith("Started")
        updated = await session.received.first(of_method("notifications/resources/updated"))
        assert updated["params"]["uri"] == DOCUMENT
        assert (await session.text_of("toggle-subscriber-updates")).startswith("Stopped")
        await client.unsubscribe_resource(DOCUMENT)

    return reads, reads_templates, is_told_of_updates


def logging(session: Session):
    client = session.client

    async def keeps_level():
        "logging/setLevel keeps out what is below the level, and lets it in again"
        await client.set_logging_level("emergency")
        await client.subscribe_resource("demo://resource/dynamic/text/41")
        await client.set_logging_level("debug")
        await client.unsubscribe_resource("demo://resource/dynamic/text/42")
        await session.logged("demo://resource/dynamic/text/42")
        assert not session.received.all(lambda message: "demo://resource/dynamic/text/41" in str(message.get("params")))

    async def receives_simulated():
        "a simulated log message is received"
        assert (await session.text_of("toggle-simulated-logging")).startswith("Started")
        await session.logged(" - SessionId ")
        assert (await session.text_of("toggle-simulated-logging")).startswith("Stopped")

    return keeps_level, receives_simulated


def prompts(session: Session):
    client = session.client

    async def gets():
        "prompts are listed, and got with and without arguments"
        names = sorted(prompt.name for prompt in (await client.list_prompts()).prompts)
        assert names == ["args-prompt", "completable-prompt", "resource-prompt", "simple-prompt"]
        simple = await client.get_prompt("simple-prompt")
        assert simple.messages[0].content.text == "This is a simple prompt without arguments."
        filled = await client.get_prompt("args-prompt", {"city": "Austin", "state": "Texas"})
        assert filled.messages[0].content.text == "What's weather in Austin, Texas?"
        embedded = await client.get_prompt("resource-prompt", {"resourceType": "Blob", "resourceId": "5"})
        assert str(embedded.messages[1].content.resource.uri) == "demo://resource/dynamic/blob/5"

    async def completes():
        "completion knows prompt arguments, their context and template variables"
        prompt = types.PromptReference(type="ref/prompt", name="completable-prompt")
        template = types.ResourceTemplateReference(type="ref/resource", uri="demo://resource/dynamic/text/{resourceId}")

        async def values(*arguments):
            return (await client.complete(*arguments)).completion.values

        assert await values(prompt, {"name": "department", "value": "S"}) == ["Sales", "Support"]
        assert await values(prompt, {"name": "name", "value": "A"}, {"department": "Engineering"}) == ["Alice"]
        assert await values(template, {"name": "resourceId", "value": "8"}) == ["8"]

    return gets, completes


def errors(session: Session):
    async def refuses():
        "an unknown resource is an error with the code and the words of the server"
        try:
            await session.client.read_resource("demo://no/such/resource")
        except MCPError as error:
            assert error.code == -32602 and "demo://no/such/resource" in error.message, error
        else:
            raise AssertionError("it was answered")

    async def fails():
        "a tool that fails says so in its result"
        assert (await session.client.call_tool("get-sum", {"a": "one"})).is_error

    return refuses, fails


async def legacy(steps: Steps, command: list[str], directory: Path) -> None:
    """A client that never asks for the newer era and can do nothing."""
    session = Session(command, directory, able=False, mode="legacy")
    async with session.client as client:
        assert session.sent.all()[0]["method"] == "initialize"
        assert len((await client.list_tools()).tools) == 13
    session.assert_answered_once()
    session.assert_bridge_left_cleanly()


async def early(steps: Steps, command: list[str], directory: Path) -> None:
    """A client that leaves while a call is still running."""
    session = Session(command, directory, able=True)
    async with session.client as client, anyio.create_task_group() as calls:

        async def leave(progress, total, message):
            calls.cancel_scope.cancel()

        operation = {"duration": 30, "steps": 300}
        await client.call_tool("trigger-long-running-operation", operation, progress_callback=leave)
    session.assert_bridge_left_cleanly()


async def main(directory: Path, command: list[str]) -> int:
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    steps = Steps(f"python over {os.environ['TRANSPORT']}")
    sessions = {
        "a whole session opens and closes": everything,
        "a session that starts with initialize opens, lists and closes": legacy,
        "a call in flight does not hold the bridge back when its client leaves": early,
    }
    for name, session in sessions.items():
        await steps.step(name, functools.partial(session, steps, command, directory / session.__name__), limit=90)
    return 1 if steps.failed else 0


sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
