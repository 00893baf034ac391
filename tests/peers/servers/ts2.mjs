// A server on @modelcontextprotocol/server (the second generation of the TypeScript SDK):
// `ts2.mjs [stdio | http | json | keepalive]`. `serveStdio` decides from the first message which era
// the connection speaks, `createMcpHandler` from every request.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import { listen } from "./listen.mjs";
import { addAsks } from "./ts2-asks.mjs";

/** Sends one update to whoever made this request, if they asked for updates. */
async function report({ mcpReq }, progress, total, message) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({
    method: "notifications/progress",
    params: { progressToken, progress, total, message },
  });
}

/** Notes what became of a `slow` call where the harness can read it. */
function note(entry) {
  if (process.env.PEER_LOG) appendFileSync(process.env.PEER_LOG, `${JSON.stringify(entry)}\n`);
}

function makeServer() {
  const server = new McpServer({ name: "peer-ts2", version: "0.0.0" });

  server.registerTool(
    "count",
    {
      description: "Counts to `steps`, reporting each step",
      inputSchema: z.object({
        steps: z.number().int().default(5),
        delay_ms: z.number().int().default(20),
        burst: z.boolean().optional(),
      }),
    },
    async ({ steps, delay_ms, burst }, ctx) => {
      for (let i = 1; i <= steps; i++) {
        if (!burst && delay_ms > 0) await sleep(delay_ms);
        await report(ctx, i, steps, `step ${i}`);
      }
      return { content: [{ type: "text", text: `counted ${steps}` }] };
    },
  );

  server.registerTool(
    "slow",
    {
      description: "Takes `ms` milliseconds and watches the SDK's abort signal",
      inputSchema: z.object({ ms: z.number().int().default(1000), silent: z.boolean().optional() }),
    },
    async ({ ms, silent }, ctx) => {
      const { signal, id } = ctx.mcpReq;
      signal.addEventListener("abort", () =>
        note({ event: "aborted", request: id, reason: String(signal.reason) }),
      );
      const started = Date.now();
      for (let i = 1; Date.now() - started < ms; i++) {
        await sleep(Math.min(50, ms), undefined, { signal });
        if (!silent) await report(ctx, i, undefined, `tick ${i}`);
      }
      note({ event: "finished", request: id });
      return { content: [{ type: "text", text: `took ${ms} ms` }] };
    },
  );

  addAsks(server, report);

  server.registerResource("report", "peer:///report", { mimeType: "text/plain" }, async (uri, ctx) => {
    for (let i = 1; i <= 3; i++) await report(ctx, i, 3, `part ${i}`);
    return { contents: [{ uri: uri.href, mimeType: "text/plain", text: "report: all is well" }] };
  });

  server.registerPrompt("hello", { description: "A greeting" }, () => ({
    messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
  }));

  return server;
}

/** What each mode but `stdio` asks of the handler. */
const MODES = {
  http: {},
  json: { responseMode: "json" },
  // Far more often than anybody would, so that comments stand between all events.
  keepalive: { responseMode: "sse", keepAliveMs: 10 },
};

const mode = process.argv[2] ?? "stdio";
if (mode === "stdio") {
  serveStdio(makeServer);
} else if (mode in MODES) {
  const handler = createMcpHandler(makeServer, MODES[mode]);
  listen("/mcp", getRequestListener((request) => handler.fetch(request), { overrideGlobalObjects: false }));
} else {
  throw new Error(`no mode ${mode}`);
}
