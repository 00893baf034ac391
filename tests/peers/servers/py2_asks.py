"""The tools of the second Python SDK's server that ask their client, and the one that shows what it was sent."""

import json

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "Ada"},
        "number": {"type": "number", "default": 2.5},
    },
}
MODERN = "2026-07-28"


def form(number: int) -> ElicitRequest:
    """The question for a name and a number, with defaults for both."""
    message = f"Question {number}: who are you?"
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=FORM))


def url(_number: int) -> ElicitRequest:
    """The question to open a page."""
    page = "https://example.com/sign-in"
    return ElicitRequest(params=ElicitRequestURLParams(message="Please sign in", url=page))


def completion(_number: int) -> CreateMessageRequest:
    """The question for a completion."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text="Say hello."))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=20))


def plain(answer) -> dict:
    """An answer as it came."""
    return answer.model_dump(by_alias=True, mode="json", exclude_none=True)


async def request(ctx: Context, question) -> dict:
    """Sends a request of the handshake revisions and waits for its answer."""
    params, session = question.params, ctx.session
    if isinstance(params, CreateMessageRequestParams):
        answer = session.create_message(
            params.messages, max_tokens=params.max_tokens, related_request_id=ctx.request_id
        )
    elif isinstance(params, ElicitRequestURLParams):
        answer = session.elicit_url(params.message, params.url, "sign-in-1", ctx.request_id)
    else:
        answer = session.elicit_form(params.message, params.requested_schema, ctx.request_id)
    return plain(await answer)


async def asked(ctx: Context, *questions) -> str | InputRequiredResult:
    """Asks in turn, with an update before each question and one at the end. Each modern leg gets one step further."""
    answers = json.loads(ctx.request_state)["answers"] if ctx.request_state else []
    last = len(questions) + 1
    if ctx.input_responses:
        answers.append(plain(ctx.input_responses[f"question-{len(answers) + 1}"]))
    while len(answers) < len(questions):
        number = len(answers) + 1
        await ctx.report_progress(number, last, f"step {number}")
        question = questions[number - 1](number)
        if ctx.protocol_version == MODERN:
            # The SDK seals the state, so there is nothing to see in it.
            state = json.dumps({"answers": answers})
            return InputRequiredResult(input_requests={f"question-{number}": question}, request_state=state)
        answers.append(await request(ctx, question))
    await ctx.report_progress(last, last, f"step {last}")
    return json.dumps({"answers": answers})


def add_asks(server: MCPServer) -> None:
    """Adds them to `server`."""

    @server.tool()
    async def ask(ctx: Context) -> str | InputRequiredResult:
        """Asks for a name and a number."""
        return await asked(ctx, form)

    @server.tool()
    async def ask_twice(ctx: Context) -> str | InputRequiredResult:
        """Asks so twice."""
        return await asked(ctx, form, form)

    @server.tool()
    async def ask_url(ctx: Context) -> str | InputRequiredResult:
        """Asks to open a page."""
        return await asked(ctx, url)

    @server.tool()
    async def sample(ctx: Context) -> str | InputRequiredResult:
        """Asks for a completion."""
        return await asked(ctx, completion)

    @server.tool()
    async def trace(ctx: Context) -> str:
        """Shows the metadata of its request."""
        return json.dumps(dict(ctx.request_context.meta or {}))
