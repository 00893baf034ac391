// A server on the TypeScript SDK whose tools take their time. What it sent and what was aborted it writes to the file
// that WEB_LOG names, one JSON object a line, so that the browser's view can be compared with the tool's own.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const note = (entry) => {
  if (process.env.WEB_LOG) appendFileSync(process.env.WEB_LOG, `${JSON.stringify(entry)}\n`);
};

const server = new McpServer({ name: "web-peer", version: "0.0.0", title: "Test bench" });

server.registerTool(
  "work",
  {
    description: "Works in steps, each of which counts for `unit`",
    inputSchema: {
      label: z.string().describe("What the log calls this call"),
      steps: z.number().int().default(10),
      delay_ms: z.number().int().default(150),
      unit: z.number().default(1),
      known: z.boolean().default(true).describe("Whether the total is told"),
      message: z.string().optional(),
      fail: z.boolean().optional(),
    },
  },
  async ({ label, steps, delay_ms, unit, known, message, fail }, { _meta, sendNotification, signal }) => {
    const progressToken = _meta?.progressToken;
    note({ event: "called", label, token: progressToken });
    signal.addEventListener("abort", () => note({ event: "aborted", label, reason: String(signal.reason) }));
    for (let step = 1; step <= steps; step += 1) {
      await sleep(delay_ms, undefined, { signal });
      const progress = step * unit;
      // Written down first: what a browser shows must be in the log by then.
      note({ event: "sent", label, progress });
      await sendNotification({
        method: "notifications/progress",
        params: {
          progressToken,
          progress,
          ...(known && { total: steps * unit }),
          message: message ?? `step ${step} of ${label}`,
        },
      });
    }
    note({ event: "finished", label });
    return { content: [{ type: "text", text: message ?? `${label}: ${steps} steps` }], isError: fail };
  },
);

// Whoever started this is gone, and with it everybody who could read an answer.
process.stdin.on("close", () => process.exit());
await server.connect(new StdioServerTransport());
