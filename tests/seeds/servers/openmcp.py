"""Hears what its client reports, by the callback of the first Python SDK: `openmcp.py`."""

import json

from mcp.server.fastmcp import Context, FastMCP
from mcp.shared.message import ServerMessageMetadata
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    SamplingMessage,
    ServerRequest,
    TextContent,
)
from notes import note

server = FastMCP("seed-openmcp", log_level="ERROR")


@server.tool()
async def listen(ctx: Context, progress: bool = True, asks: int = 1) -> str:
    """Asks for a completion, and gives what it heard meanwhile, in the order in which the SDK told it."""
    heard = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        entry = {"progress": done, "total": total, "message": message}
        heard.append(entry)
        note({"event": "heard", **entry})

    for ask in range(1, asks + 1):
        question = SamplingMessage(role="user", content=TextContent(type="text", text=f"question {ask}"))
        params = CreateMessageRequestParams(messages=[question], maxTokens=20)
        await ctx.session.send_request(
            ServerRequest(CreateMessageRequest(method="sampling/createMessage", params=params)),
            CreateMessageResult,
            metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
            progress_callback=hear if progress else None,
        )
        heard.append("answered")
    return json.dumps(heard)


server.run("stdio")
