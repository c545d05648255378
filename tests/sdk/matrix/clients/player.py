"""What the clients in Python share: how they answer the server, and the lines to and from the driver."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

Deeds = dict[str, Callable[[dict[str, Any], Any], Awaitable[Any]]]

# What the next form is answered with; the driver sets it.
form: dict[str, Any] = {"action": "accept", "content": {"name": "Ada"}}


def event(**value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def plain(result: Any) -> Any:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True) if hasattr(result, "model_dump") else result


async def elicited(params: Any) -> dict[str, Any]:
    if getattr(params, "mode", None) == "url":
        event(event="asked", what="page", message=params.message, url=str(params.url))
        return {"action": "accept"}
    event(event="asked", what="form", message=params.message)
    if form["action"] == "never":
        await anyio.sleep_forever()
    return form


def sampled(params: Any) -> dict[str, Any]:
    event(event="asked", what="sampling", message=params.messages[0].content.text)
    return {"role": "assistant", "model": "stand-in", "content": {"type": "text", "text": "Paris"}}


def roots() -> dict[str, Any]:
    event(event="asked", what="roots")
    return {"roots": [{"uri": "file:///home/ada", "name": "home"}]}


def told(message: Any) -> None:
    """A notification of the server's that the SDK has no callback for."""
    message = plain(getattr(message, "root", message))
    method = message.get("method", "") if isinstance(message, dict) else ""
    if method.endswith("/list_changed"):
        event(event="changed", what=method.split("/")[1])
    elif method == "notifications/resources/updated":
        event(event="updated", uri=message["params"]["uri"])


def reporter(number: int) -> Callable[..., Awaitable[None]]:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        event(event="progress", of=number, progress=progress, total=total)

    return report


async def lines():
    async for line in anyio.wrap_file(os.fdopen(os.dup(0))):
        yield json.loads(line)


async def play(deeds: Deeds, cancel: Callable[[int], Awaitable[None]]) -> None:
    """Does what each line of stdin says, and writes down what came of it."""

    async def perform(number: int, name: str, params: dict[str, Any]) -> None:
        global form
        try:
            if name == "answer":
                form, result = params, {}
            elif name == "cancel":
                result = await cancel(params["of"])
            else:
                result = await deeds[name](params, number)
            event(id=number, result=plain(result) or {})
        except Exception as error:
            about = getattr(error, "error", None)
            if about is None:
                event(id=number, error={"message": f"{type(error).__name__}: {error}"})
            else:
                event(id=number, error={"code": about.code, "message": about.message, "data": about.data})

    async with anyio.create_task_group() as tasks:
        async for line in lines():
            if line["do"] == "close":
                tasks.cancel_scope.cancel()
                return
            tasks.start_soon(perform, line["id"], line["do"], line.get("params", {}))
