"""The common offer, served by version 2 of the official Python SDK; prints its URL.

usage: python.py modern|stateless|sessions: whether it refuses clients that shake hands, serves them without a session,
or in sessions
"""

import json
import socket
import sys
import warnings
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp import MCPDeprecationWarning, MCPError
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp.shared.message import ServerMessageMetadata

posture = sys.argv[1]
warnings.simplefilter("ignore", MCPDeprecationWarning)

PEOPLE = ["Ada", "Alan", "Grace"]
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
QUESTIONS = {
    "form": types.ElicitRequest(params=types.ElicitRequestFormParams(message="Who?", requested_schema=NAME)),
    "page": types.ElicitRequest(
        params=types.ElicitRequestURLParams(message="Visit", url="https://example.com/visit", elicitation_id="visit")
    ),
    "sampling": types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(
            messages=[types.SamplingMessage(role="user", content=types.TextContent(type="text", text="The capital?"))],
            max_tokens=10,
        )
    ),
    "roots": types.ListRootsRequest(),
}
RESULTS = {
    "form": types.ElicitResult,
    "page": types.ElicitResult,
    "sampling": types.CreateMessageResult,
    "roots": types.ListRootsResult,
}
STRING = {"type": "string"}
NUMBERS = {"type": "array", "items": {"type": "number"}}
SUM = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
TOOLS: dict[str, dict[str, Any]] = {
    "echo": {"text": STRING},
    "region": {"region": {**STRING, "x-mcp-header": "Region"}},
    "structured": {},
    "numbers": {},
    "picture": {},
    "fail": {},
    "progress": {"who": STRING},
    "go": {"who": STRING},
    "log": {},
    "wait": {"who": STRING},
    "waits": {"who": STRING},
    **{kind: {} for kind in QUESTIONS},
    "several": {},
    "reports": {"who": STRING},
    "rounds": {},
    "change": {"what": STRING},
}
CHANGES = {
    "tools": (ToolsListChanged(), types.ToolListChangedNotification()),
    "prompts": (PromptsListChanged(), types.PromptListChangedNotification()),
    "resources": (ResourcesListChanged(), types.ResourceListChangedNotification()),
    "memo": (
        ResourceUpdated(uri="memo:///1"),
        types.ResourceUpdatedNotification(params=types.ResourceUpdatedNotificationParams(uri="memo:///1")),
    ),
}
bus = InMemorySubscriptionBus()
# Of each client: a gate that lets one report of progress pass at a time.
gates: dict[str, anyio.Event] = {}
# Of each client: how many of its calls wait now, and how many it has cancelled.
waiting: dict[str, dict[str, int]] = {}


def schema_of(tool: str) -> dict[str, Any]:
    properties = TOOLS[tool]
    return {"type": "object", "properties": properties, "required": list(properties)}


def output_schema_of(tool: str, ctx) -> dict[str, Any] | None:
    # A legacy client knows no structure but objects.
    return {"structured": SUM, "numbers": NUMBERS if is_modern(ctx) else None}.get(tool)


def text(value: Any) -> types.CallToolResult:
    words = value if isinstance(value, str) else json.dumps(value)
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


def is_modern(ctx) -> bool:
    return ctx.protocol_version >= "2026-07-28"


async def ask(ctx, params, kinds: list[str]) -> Any:
    """What the client answers: in the retry of this era's request, or now in the middle of a legacy one."""
    if not is_modern(ctx):
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        return {
            kind: (await ctx.session.send_request(QUESTIONS[kind], RESULTS[kind], metadata=related)).model_dump(
                by_alias=True, mode="json", exclude_none=True
            )
            for kind in kinds
        }
    if params.input_responses is None:
        return types.InputRequiredResult(input_requests={kind: QUESTIONS[kind] for kind in kinds})
    answers = params.input_responses
    return {kind: answers[kind].model_dump(by_alias=True, mode="json", exclude_none=True) for kind in kinds}


async def report(ctx, who: str, done: int) -> None:
    """Reports progress, and waits until the client has heard of it: one read together with the result may be dropped."""
    gate = gates.setdefault(who, anyio.Event())
    await ctx.session.report_progress(done, 2)
    await gate.wait()


async def reports(ctx, params) -> Any:
    if params.input_responses is None:
        await report(ctx, params.arguments["who"], 1)
        answers = await ask(ctx, params, ["form"])
        if is_modern(ctx):
            return answers
    await report(ctx, params.arguments["who"], 2)
    return text("done")


async def rounds(ctx, params) -> Any:
    if not is_modern(ctx):
        for _ in range(3):
            await ask(ctx, params, ["form"])
        return text("3 rounds")
    done = int(params.request_state or 0)
    if done == 3:
        return text("3 rounds")
    return types.InputRequiredResult(input_requests={"form": QUESTIONS["form"]}, request_state=str(done + 1))


def waits_of(who: str) -> dict[str, int]:
    return waiting.setdefault(who, {"now": 0, "cancelled": 0})


async def wait(who: str) -> types.CallToolResult:
    waits_of(who)["now"] += 1
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        waits_of(who)["cancelled"] += 1
        raise
    finally:
        waits_of(who)["now"] -= 1
    return text("waited")


async def log(ctx) -> types.CallToolResult:
    for level in ("debug", "error"):
        # A legacy session has told its level by `logging/setLevel`.
        if is_modern(ctx) or LEVELS.index(level) >= LEVELS.index(levels.get(id(ctx.session._connection), "debug")):
            await ctx.session.send_log_message(level, level, related_request_id=ctx.request_id)
    return text("logged")


async def change(ctx, what: str) -> types.CallToolResult:
    event, notification = CHANGES[what]
    await bus.publish(event)
    if not is_modern(ctx):
        await ctx.session.send_notification(notification)
    return text(f"{what} changed")


async def call_tool(ctx, params: types.CallToolRequestParams) -> Any:
    arguments = params.arguments or {}
    match params.name:
        case "echo":
            return text(arguments["text"])
        case "region":
            return text(arguments["region"])
        case "structured":
            return types.CallToolResult(content=text('{"sum":42}').content, structured_content={"sum": 42})
        case "numbers" if is_modern(ctx):
            return types.CallToolResult(content=[], structured_content=[1, 2, 3])
        case "numbers":
            return text("[1,2,3]")
        case "picture":
            picture = types.ImageContent(type="image", data="iVBORw==", mime_type="image/png")
            return types.CallToolResult(content=[picture])
        case "fail":
            return types.CallToolResult(content=text("it failed").content, is_error=True)
        case "progress":
            for done in (1, 2):
                await report(ctx, arguments["who"], done)
            return text("done")
        case "go":
            gates.pop(arguments["who"]).set()
            return text("going")
        case "log":
            return await log(ctx)
        case "wait":
            return await wait(arguments["who"])
        case "waits":
            return text(waits_of(arguments["who"]))
        case "several" | "form" | "page" | "sampling" | "roots" as kind:
            answers = await ask(ctx, params, ["form", "sampling", "roots"] if kind == "several" else [kind])
            return text(answers) if isinstance(answers, dict) else answers
        case "reports":
            return await reports(ctx, params)
        case "rounds":
            return await rounds(ctx, params)
        case "change":
            return await change(ctx, arguments["what"])
    raise MCPError(types.INVALID_PARAMS, f"no tool {params.name}")


async def list_tools(ctx, params) -> types.ListToolsResult:
    return types.ListToolsResult(
        tools=[
            types.Tool(name=name, input_schema=schema_of(name), output_schema=output_schema_of(name, ctx))
            for name in TOOLS
        ]
    )


async def list_prompts(ctx, params) -> types.ListPromptsResult:
    whom = types.PromptArgument(name="whom", required=True)
    return types.ListPromptsResult(prompts=[types.Prompt(name="greet", arguments=[whom]), types.Prompt(name="asking")])


async def get_prompt(ctx, params) -> Any:
    if params.name == "asking":
        answers = await ask(ctx, params, ["form"])
        if not isinstance(answers, dict):
            return answers
        whom = answers["form"]["content"]["name"]
    elif params.name == "greet":
        whom = params.arguments["whom"]
    else:
        raise MCPError(types.INVALID_PARAMS, f"no prompt {params.name}")
    words = types.TextContent(type="text", text=f"Say hello to {whom}")
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=words)])


async def list_resources(ctx, params) -> types.ListResourcesResult:
    def memo(number):
        return types.Resource(uri=f"memo:///{number}", name=f"memo {number}", mime_type="text/plain")

    if params is not None and params.cursor == "second":
        return types.ListResourcesResult(resources=[memo(2)])
    return types.ListResourcesResult(resources=[memo(1)], next_cursor="second")


async def list_templates(ctx, params) -> types.ListResourceTemplatesResult:
    note = types.ResourceTemplate(uri_template="note:///{whose}", name="note")
    return types.ListResourceTemplatesResult(resource_templates=[note])


async def read_resource(ctx, params) -> Any:
    uri = str(params.uri)
    if uri == "memo:///2":
        return types.ReadResourceResult(contents=[types.BlobResourceContents(uri=uri, blob="AAEC")])
    if uri == "memo:///1":
        words = "a memo"
    elif uri == "asking:///":
        answers = await ask(ctx, params, ["form"])
        if not isinstance(answers, dict):
            return answers
        words = f"a note of {answers['form']['content']['name']}"
    elif uri.startswith("note:///"):
        words = f"a note of {uri.removeprefix('note:///')}"
    else:
        missing = types.INVALID_PARAMS if is_modern(ctx) else -32002
        raise MCPError(missing, f"no resource {uri}", {"uri": uri})
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, text=words)])


async def complete(ctx, params) -> types.CompleteResult:
    values = [name for name in PEOPLE if name.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))


LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
levels: dict[int, str] = {}


async def set_level(ctx, params) -> types.EmptyResult:
    levels[id(ctx.session._connection)] = params.level
    return types.EmptyResult()


async def nothing(ctx, params) -> types.EmptyResult:
    return types.EmptyResult()


async def refuse_handshakes(ctx, call_next):
    if posture == "modern" and ctx.method == "initialize":
        raise MCPError(types.METHOD_NOT_FOUND, "there is no handshake here")
    return await call_next(ctx)


server = Server(
    "common",
    version="1.0.0",
    instructions="What every server offers.",
    get_tool_input_schema=lambda name: schema_of(name) if name in TOOLS else None,
    on_list_tools=list_tools,
    on_call_tool=call_tool,
    on_list_prompts=list_prompts,
    on_get_prompt=get_prompt,
    on_list_resources=list_resources,
    on_list_resource_templates=list_templates,
    on_read_resource=read_resource,
    on_completion=complete,
    on_subscribe_resource=nothing,
    on_unsubscribe_resource=nothing,
    on_subscriptions_listen=ListenHandler(bus),
    on_set_logging_level=set_level,
)
server.middleware.append(refuse_handshakes)
listener = socket.create_server(("127.0.0.1", 0))
print(f"url http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
app = server.streamable_http_app(stateless_http=posture != "sessions")
uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)).run(sockets=[listener])
