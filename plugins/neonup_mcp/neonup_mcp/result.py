"""What a tool returns: typed data for programs, and the same as text for a model."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Annotated, Any

import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel

from neonup import NeonupError


class ToolResult(BaseModel):
    """A tool's answer. Its fields are the structured content, described by a JSON schema."""

    @abstractmethod
    def text(self) -> str:
        """The same, for a model to read."""


def add_tool(
    server: MCPServer[Any],
    function: Callable[..., Any],
    *,
    title: str,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
) -> None:
    """Register a function that returns a `ToolResult`; its docstring is the tool's description.

    A function that is not a coroutine runs in a thread, so that it blocks nobody else. An error of
    neonup's becomes a tool error: its text with the remedy, without a traceback.

    Args:
        server: where to.
        function: the tool, called by its name.
        title: what a person sees.
        read_only: it changes nothing.
        destructive: what it changes can be lost for good.
        idempotent: calling it again with the same arguments changes nothing more.
        open_world: it may talk to services outside of this machine.
    """
    server.add_tool(
        _answering(function),
        name=function.__name__,
        title=title,
        description=inspect.getdoc(function),
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        ),
    )


def _answering(function: Callable[..., Any]) -> Callable[..., Awaitable[CallToolResult]]:
    is_coroutine = inspect.iscoroutinefunction(function)

    @wraps(function)
    async def tool(**arguments: Any) -> CallToolResult:
        try:
            if is_coroutine:
                result: ToolResult = await function(**arguments)
            else:
                result = await anyio.to_thread.run_sync(partial(function, **arguments))
        except NeonupError as error:
            return CallToolResult(content=[_text(str(error))], is_error=True)
        return CallToolResult(
            content=[_text(result.text())], structured_content=result.model_dump(mode="json")
        )

    # The SDK derives the schemas from the signature; this form says that the result is made here.
    signature = inspect.signature(function, eval_str=True)
    tool.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=Annotated[CallToolResult, signature.return_annotation]
    )
    return tool


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)
