// A server on @modelcontextprotocol/sdk (the first generation of the TypeScript SDK):
// `ts1.mjs [stdio | http | stateless | json | sse]`. `http` keeps sessions and their events, so that
// a client can take up a broken stream again.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";
import { listen } from "./listen.mjs";
import { addAsks } from "./ts1-asks.mjs";
import { addJobs, tasks } from "./ts1-jobs.mjs";

/** How long a client whose stream broke is asked to wait, in milliseconds. */
const RETRY_MS = 80;

/** Sends one update to whoever made this request, if they asked for updates. */
async function report(extra, progress, total, message) {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  await extra.sendNotification({
    method: "notifications/progress",
    params: { progressToken, progress, total, message },
  });
}

/** Notes what a call did, or what became of it, where the harness can read it. */
function note(entry) {
  if (process.env.PEER_LOG) appendFileSync(process.env.PEER_LOG, `${JSON.stringify(entry)}\n`);
}

const counting = {
  steps: z.number().int().default(5),
  delay_ms: z.number().int().default(20),
};

/** Counts, and calls `between` after each update. */
async function counted({ steps, delay_ms, burst }, extra, between) {
  for (let i = 1; i <= steps; i++) {
    if (!burst && delay_ms > 0) await sleep(delay_ms);
    await report(extra, i, steps, `step ${i}`);
    note({ event: "sent", request: extra.requestId, progress: i });
    between?.(i);
  }
  return { content: [{ type: "text", text: `counted ${steps}` }] };
}

function makeServer() {
  const server = new McpServer({ name: "peer-ts1", version: "0.0.0" }, tasks());

  server.registerTool(
    "count",
    {
      description: "Counts to `steps`, reporting each step",
      inputSchema: { ...counting, burst: z.boolean().optional() },
    },
    (args, extra) => counted(args, extra),
  );

  server.registerTool(
    "drop",
    {
      description: "Counts to `steps`, and closes its own stream after every `every`th",
      inputSchema: { ...counting, every: z.number().int().default(2) },
    },
    (args, extra) =>
      counted(args, extra, (i) => {
        if (i % args.every === 0) extra.closeSSEStream?.();
      }),
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

  addAsks(server, report);
  addJobs(server, note);

  server.registerResource("report", "peer:///report", { mimeType: "text/plain" }, async (uri, extra) => {
    for (let i = 1; i <= 3; i++) await report(extra, i, 3, `part ${i}`);
    return { contents: [{ uri: uri.href, mimeType: "text/plain", text: "report: all is well" }] };
  });

  server.registerPrompt("hello", { description: "A greeting" }, () => ({
    messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
  }));

  return server;
}

/** The events of one session, in the order in which they were stored. */
class Events {
  #events = new Map();
  #stored = 0;

  async storeEvent(stream, message) {
    const id = `${stream}_${(this.#stored += 1)}`;
    this.#events.set(id, { stream, message });
    return id;
  }

  async replayEventsAfter(last, { send }) {
    const from = this.#events.get(last);
    if (from === undefined) throw new Error(`no event ${last}`);
    let passed = false;
    // A copy: what is stored while this sends goes out by the ordinary way.
    for (const [id, { stream, message }] of [...this.#events]) {
      if (passed && stream === from.stream) await send(id, message);
      passed ||= id === last;
    }
    return from.stream;
  }
}

function refuse(res, status, message) {
  const error = { code: status === 404 ? -32001 : -32000, message };
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ jsonrpc: "2.0", error, id: null }));
}

/** One transport for each session; a request without a session opens one, if it may. */
function withSessions(options) {
  const sessions = new Map();
  return async (req, res) => {
    const id = req.headers["mcp-session-id"];
    if (id !== undefined) {
      const transport = sessions.get(id);
      return transport ? transport.handleRequest(req, res) : refuse(res, 404, "Session not found");
    }
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
      ...options(),
    });
    await makeServer().connect(transport);
    await transport.handleRequest(req, res);
  };
}

/** A server for every request. */
async function withoutSessions(req, res) {
  if (req.method !== "POST") return refuse(res, 405, "Method not allowed");
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await makeServer().connect(transport);
  await transport.handleRequest(req, res);
}

/** The transport of 2024-11-05: a stream to read from, and another address to post to. */
function withTwoAddresses() {
  const sessions = new Map();
  return async (req, res) => {
    const url = new URL(req.url, "http://localhost");
    if (req.method === "GET" && url.pathname === "/sse") {
      const transport = new SSEServerTransport("/messages", res);
      sessions.set(transport.sessionId, transport);
      res.on("close", () => sessions.delete(transport.sessionId));
      return makeServer().connect(transport);
    }
    if (req.method === "POST" && url.pathname === "/messages") {
      const transport = sessions.get(url.searchParams.get("sessionId"));
      return transport ? transport.handlePostMessage(req, res) : refuse(res, 404, "Session not found");
    }
    refuse(res, url.pathname === "/sse" ? 405 : 404, "Nothing here");
  };
}

const mode = process.argv[2] ?? "stdio";
switch (mode) {
  case "stdio":
    await makeServer().connect(new StdioServerTransport());
    break;
  case "http":
    listen("/mcp", withSessions(() => ({ eventStore: new Events(), retryInterval: RETRY_MS })));
    break;
  case "json":
    listen("/mcp", withSessions(() => ({ enableJsonResponse: true })));
    break;
  case "stateless":
    listen("/mcp", withoutSessions);
    break;
  case "sse":
    listen("/sse", withTwoAddresses());
    break;
  default:
    throw new Error(`no mode ${mode}`);
}
