"""A server on FastMCP 4, for the tasks of 2026-07-28 that it adds to the second Python SDK: `fm4.py [stdio | http]`."""

import json
import os
import sys
from datetime import timedelta

import anyio
from fastmcp import Context, FastMCP
from fastmcp.utilities.tasks import TaskConfig
from fastmcp_tasks import TasksExtension
from listen import listen
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "Ada"},
        "number": {"type": "number", "default": 2.5},
    },
}

server = FastMCP("peer-fm4")
# Tasks are kept in memory.
server.add_extension(TasksExtension(url="memory://"))


def note(entry: dict) -> None:
    """Notes what a job did where the harness can read it."""
    if path := os.environ.get("PEER_LOG"):
        with open(path, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


@server.tool(task=TaskConfig(mode="optional", poll_interval=timedelta(milliseconds=100)))
async def job(ctx: Context, steps: int = 5, delay_ms: int = 50, ask: bool = False) -> str | InputRequiredResult:
    """Works for `steps`, as a task if it may. A question ends the run; the next one goes on behind it."""
    answers, half = [], (steps + 1) // 2
    done = half if ctx.request_state else 0
    if ctx.input_responses:
        answer = ctx.input_responses["half-way"]
        answers.append(answer.model_dump(by_alias=True, mode="json", exclude_none=True))
    if not done:
        note({"event": "job started"})
    try:
        for i in range(done + 1, steps + 1):
            await anyio.sleep(delay_ms / 1000)
            await ctx.report_progress(i, steps, f"step {i} of {steps}")
            if ask and i == half:
                params = ElicitRequestFormParams(message="Question 1: who are you?", requested_schema=FORM)
                question = {"half-way": ElicitRequest(params=params)}
                return InputRequiredResult(input_requests=question, request_state="half-way")
    except anyio.get_cancelled_exc_class():
        note({"event": "job cancelled"})
        raise
    note({"event": "job finished"})
    return json.dumps({"steps": steps, "answers": answers})


if __name__ == "__main__":
    mode = sys.argv[1] if len(sys.argv) > 1 else "stdio"
    if mode == "stdio":
        server.run("stdio", show_banner=False, log_level="ERROR")
    elif mode == "http":
        listen(server.http_app(path="/mcp"), "/mcp")
    else:
        sys.exit(f"no mode {mode}")
