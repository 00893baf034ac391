"""The tool `job` of the first Python SDK's server: a task where its client asks for one (2025-11-25)."""

import json
import warnings

import anyio
from mcp.server.fastmcp import FastMCP
from mcp.types import CallToolResult, TextContent, Tool, ToolExecution
from py1_asks import FORM, plain, wording

JOB = Tool(
    name="job",
    description="Works for `steps`, as a task if it may",
    inputSchema={
        "type": "object",
        "properties": {
            "steps": {"type": "integer", "default": 5},
            "delay_ms": {"type": "integer", "default": 50},
            "ask": {"type": "boolean", "default": False},
        },
    },
    execution=ToolExecution(taskSupport="optional"),
)


def add_jobs(server: FastMCP, note) -> None:
    """Adds it to `server`; `note` writes the log: a line when a job begins and one when it ends, and no other."""
    # Tasks are for the inner server only: what the outer one registers is wrapped.
    inner = server._mcp_server
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        experimental = inner.experimental
    experimental.enable_tasks()

    async def work(arguments: dict, name: str, report, task=None) -> CallToolResult:
        steps, answers = arguments.get("steps", 5), []
        note({"event": "job started", "task": name})
        for i in range(1, steps + 1):
            await anyio.sleep(arguments.get("delay_ms", 50) / 1000)
            if task:
                # Learns of a cancel, too. Who then ends the task once more would end the whole server.
                await task.update_status(f"step {i} of {steps}")
                if task.task.status == "cancelled":
                    note({"event": "job cancelled", "task": name})
                    return CallToolResult(content=[])
            await report(i, steps, f"step {i}")
            if task and arguments.get("ask") and i == (steps + 1) // 2:
                answers.append(plain(await task.elicit(wording(1), FORM)))
        note({"event": "job finished", "task": name})
        text = json.dumps({"steps": steps, "answers": answers})
        return CallToolResult(content=[TextContent(type="text", text=text)])

    @inner.list_tools()
    async def list_tools() -> list[Tool]:
        return [*await server.list_tools(), JOB]

    @inner.call_tool(validate_input=False)
    async def call_tool(name: str, arguments: dict):
        if name != "job":
            return await server.call_tool(name, arguments)
        context = inner.request_context
        token = context.meta.progressToken if context.meta else None
        related = None if context.experimental.is_task else str(context.request_id)

        async def report(progress, total, message):
            if token is not None:
                await context.session.send_progress_notification(token, progress, total, message, related)

        if not context.experimental.is_task:
            return await work(arguments, str(context.request_id), report)
        return await context.experimental.run_task(lambda task: work(arguments, task.task_id, report, task))
