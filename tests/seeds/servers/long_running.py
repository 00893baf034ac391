"""A long-running tool with phases that map parts onto the whole, on the first Python SDK: `long_running.py`."""

import anyio
from mcp.server.fastmcp import Context, FastMCP
from notes import note

server = FastMCP("seed-long-running", log_level="ERROR")


class Phase:
    """A part of the work, which takes the percents from `start` to `end` of the whole."""

    def __init__(self, ctx: Context, name: str, start: float, end: float, total: int):
        self.ctx, self.name, self.start, self.end, self.total = ctx, name, start, end, total

    async def update_item(self, item: int) -> None:
        """So many items of this part are done."""
        percent = self.start + (self.end - self.start) * item / self.total
        await self.ctx.report_progress(percent, 100.0, f"{self.name} {item}/{self.total}")


@server.tool()
async def delete(ctx: Context, items: int = 400, pause_ms: float = 0, fail_at: int = 0) -> str:
    """Deletes `items`, after setting up and before cleaning up, and reports each step."""
    try:
        for name, start, end, total in [("Setup", 0, 10, 5), ("Deleting", 10, 90, items), ("Clean-up", 90, 100, 5)]:
            phase = Phase(ctx, name, start, end, total)
            for item in range(1, total + 1):
                if pause_ms:
                    await anyio.sleep(pause_ms / 1000)
                if name == "Deleting" and item == fail_at:
                    raise ValueError("the disk is full")
                await phase.update_item(item)
    except anyio.get_cancelled_exc_class():
        note({"event": "cancelled"})
        raise
    note({"event": "finished"})
    return f"deleted {items}"


server.run("stdio")
