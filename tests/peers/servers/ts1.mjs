// A server on @modelcontextprotocol/sdk (the first generation of the TypeScript SDK), over stdio.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "peer-ts1", version: "0.0.0" });

/** Sends one update to whoever made this request, if they asked for updates. */
async function report(extra, progress, total, message) {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  await extra.sendNotification({
    method: "notifications/progress",
    params: { progressToken, progress, total, message },
  });
}

/** Notes what became of a `slow` call where the harness can read it. */
function note(entry) {
  if (process.env.PEER_LOG) appendFileSync(process.env.PEER_LOG, `${JSON.stringify(entry)}\n`);
}

server.registerTool(
  "count",
  {
    description: "Counts to `steps`, reporting each step",
    inputSchema: {
      steps: z.number().int().default(5),
      delay_ms: z.number().int().default(20),
      burst: z.boolean().optional(),
    },
  },
  async ({ steps, delay_ms, burst }, extra) => {
    for (let i = 1; i <= steps; i++) {
      if (!burst && delay_ms > 0) await sleep(delay_ms);
      await report(extra, i, steps, `step ${i}`);
    }
    return { content: [{ type: "text", text: `counted ${steps}` }] };
  },
);

server.registerTool(
  "slow",
  {
    description: "Takes `ms` milliseconds and watches the SDK's abort signal",
    inputSchema: { ms: z.number().int().default(1000), silent: z.boolean().optional() },
  },
  async ({ ms, silent }, extra) => {
    const { signal, requestId } = extra;
    signal.addEventListener("abort", () =>
      note({ event: "aborted", request: requestId, reason: String(signal.reason) }),
    );
    const started = Date.now();
    for (let i = 1; Date.now() - started < ms; i++) {
      await sleep(Math.min(50, ms), undefined, { signal });
      if (!silent) await report(extra, i, undefined, `tick ${i}`);
    }
    note({ event: "finished", request: requestId });
    return { content: [{ type: "text", text: `took ${ms} ms` }] };
  },
);

server.registerResource("report", "peer:///report", { mimeType: "text/plain" }, async (uri, extra) => {
  for (let i = 1; i <= 3; i++) await report(extra, i, 3, `part ${i}`);
  return { contents: [{ uri: uri.href, mimeType: "text/plain", text: "report: all is well" }] };
});

server.registerPrompt("hello", { description: "A greeting" }, () => ({
  messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
}));

await server.connect(new StdioServerTransport());
