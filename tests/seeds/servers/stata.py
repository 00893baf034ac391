"""Runs scripts that take long, behind Starlette over Streamable HTTP, on either Python SDK: `stata.py`.

Standing below an application with a page of its own, as in servers that are made with FastAPI. `SEED_PING` replaces the SDK's
own pause between keep-alive comments, in seconds; 0 for none.
"""

import os
from contextlib import asynccontextmanager

import anyio
import sse_starlette.sse
from listen import listen
from notes import note
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

try:
    from mcp.server import _streamable_http_modern as modern
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver import MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as Server

    modern = None

if "SEED_PING" in os.environ:
    ping = float(os.environ["SEED_PING"])
    sse_starlette.sse.EventSourceResponse.DEFAULT_PING_INTERVAL = ping
    if modern:
        modern._SSE_PING_INTERVAL = ping or float("inf")

server = Server("seed-stata", log_level="ERROR")


@server.tool()
async def stata_do(ctx: Context, seconds: float, log_every: float = 0, die_after: float = 0) -> str:
    """Runs a script of so many seconds, without a word, or with a log line every so often; or dies in the middle."""
    note({"event": "started", "seconds": seconds})
    end = anyio.current_time() + seconds
    try:
        line = 0
        while (left := end - anyio.current_time()) > 0:
            await anyio.sleep(min(log_every or die_after or left, left))
            if die_after:
                os._exit(1)
            if log_every and end > anyio.current_time():
                line += 1
                await ctx.info(f". regress y x{line}")
    except anyio.get_cancelled_exc_class():
        note({"event": "cancelled"})
        raise
    note({"event": "finished"})
    return f"end of do-file after {seconds:g} s"


async def health(_request) -> PlainTextResponse:
    """What a load balancer asks for."""
    return PlainTextResponse("ok")


below = server.streamable_http_app()


@asynccontextmanager
async def life(_app):
    """The sessions live as long as the application around them."""
    async with server.session_manager.run():
        yield


listen(Starlette(routes=[Route("/health", health), Mount("/", below)], lifespan=life), "/mcp")
