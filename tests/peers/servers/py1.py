"""A server on the first generation of the Python SDK (`mcp` 1): `py1.py [stdio | http | json | sse]`."""

import json
import os
import sys

import anyio
from listen import listen
from mcp.server.fastmcp import Context, FastMCP
from py1_asks import add_asks
from py1_jobs import add_jobs

server = FastMCP("peer-py1", log_level="ERROR")


def note(entry: dict) -> None:
    """Notes what became of a `slow` call where the harness can read it."""
    if path := os.environ.get("PEER_LOG"):
        with open(path, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


@server.tool()
async def count(ctx: Context, steps: int = 5, delay_ms: int = 20, burst: bool = False) -> str:
    """Counts to `steps`, reporting each step."""
    for i in range(1, steps + 1):
        if not burst and delay_ms > 0:
            await anyio.sleep(delay_ms / 1000)
        await ctx.report_progress(i, steps, f"step {i}")
    return f"counted {steps}"


@server.tool()
async def slow(ctx: Context, ms: int = 1000, silent: bool = False) -> str:
    """Takes `ms` milliseconds and watches for its own cancellation."""
    try:
        end = anyio.current_time() + ms / 1000
        tick = 0
        while anyio.current_time() < end:
            await anyio.sleep(min(0.05, ms / 1000))
            tick += 1
            if not silent:
                await ctx.report_progress(tick, None, f"tick {tick}")
    except anyio.get_cancelled_exc_class():
        note({"event": "aborted", "request": ctx.request_context.request_id})
        raise
    note({"event": "finished", "request": ctx.request_context.request_id})
    return f"took {ms} ms"


@server.resource("peer:///report", mime_type="text/plain")
async def report() -> str:
    """Reads a report in three parts. A fixed URI takes no context argument here: it asks for it."""
    ctx = server.get_context()
    for i in range(1, 4):
        await ctx.report_progress(i, 3, f"part {i}")
    return "report: all is well"


@server.prompt()
def hello() -> str:
    """A greeting."""
    return "Say hello."


add_asks(server)
add_jobs(server, note)

if __name__ == "__main__":
    mode = sys.argv[1] if len(sys.argv) > 1 else "stdio"
    if mode == "stdio":
        server.run("stdio")
    elif mode == "sse":
        listen(server.sse_app(), "/sse")
    elif mode in ("http", "json"):
        server.settings.json_response = mode == "json"
        listen(server.streamable_http_app(), "/mcp")
    else:
        sys.exit(f"no mode {mode}")
