"""Progress on requests of every kind, on the low-level server of the second Python SDK, in both eras: `hermes.py`."""

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    ListToolsResult,
    ReadResourceResult,
    TextResourceContents,
    Tool,
)


async def three(ctx, what: str) -> None:
    """Three updates, of which the second has no total."""
    await ctx.session.report_progress(1, 3, f"{what} 1")
    await ctx.session.report_progress(2, None, f"{what} 2")
    await ctx.session.report_progress(3, 3, f"{what} 3")


async def list_tools(ctx, _params) -> ListToolsResult:
    await three(ctx, "tool")
    return ListToolsResult(tools=[Tool(name="listen", input_schema={"type": "object"})])


async def read_resource(ctx, params) -> ReadResourceResult:
    await three(ctx, "part")
    contents = TextResourceContents(uri=params.uri, mime_type="text/plain", text="all is well")
    return ReadResourceResult(contents=[contents])


async def main() -> None:
    server = Server("seed-hermes-py2", on_list_tools=list_tools, on_read_resource=read_resource)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


anyio.run(main)
