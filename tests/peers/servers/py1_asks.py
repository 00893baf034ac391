"""The tools of the first Python SDK's server that ask their client, and the one that shows what it was sent."""

import json

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import SamplingMessage, TextContent

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "Ada"},
        "number": {"type": "number", "default": 2.5},
    },
}


def wording(number: int) -> str:
    """What the question for a name and a number says."""
    return f"Question {number}: who are you?"


def plain(answer) -> dict:
    """An answer as it came."""
    return answer.model_dump(by_alias=True, mode="json", exclude_none=True)


def add_asks(server: FastMCP) -> None:
    """Adds them to `server`. Each sends an update before each question and one at the end."""

    async def form(ctx: Context, number: int):
        # Not `ctx.elicit`: that would fill in defaults which the client left out.
        return await ctx.session.elicit_form(wording(number), FORM, ctx.request_id)

    async def asked(ctx: Context, *questions) -> str:
        answers = []
        for index, question in enumerate(questions):
            await ctx.report_progress(index + 1, len(questions) + 1, f"step {index + 1}")
            answers.append(plain(await question(ctx, index + 1)))
        last = len(questions) + 1
        await ctx.report_progress(last, last, f"step {last}")
        return json.dumps({"answers": answers})

    async def url(ctx: Context, _number: int):
        return await ctx.session.elicit_url("Please sign in", "https://example.com/sign-in", "sign-in-1", ctx.request_id)

    async def completion(ctx: Context, _number: int):
        message = SamplingMessage(role="user", content=TextContent(type="text", text="Say hello."))
        return await ctx.session.create_message([message], max_tokens=20, related_request_id=ctx.request_id)

    @server.tool()
    async def ask(ctx: Context) -> str:
        """Asks for a name and a number."""
        return await asked(ctx, form)

    @server.tool()
    async def ask_twice(ctx: Context) -> str:
        """Asks so twice."""
        return await asked(ctx, form, form)

    @server.tool()
    async def ask_url(ctx: Context) -> str:
        """Asks to open a page."""
        return await asked(ctx, url)

    @server.tool()
    async def sample(ctx: Context) -> str:
        """Asks for a completion."""
        return await asked(ctx, completion)

    @server.tool()
    async def trace(ctx: Context) -> str:
        """Shows the metadata of its request."""
        meta = ctx.request_context.meta
        return json.dumps(plain(meta) if meta else {})
