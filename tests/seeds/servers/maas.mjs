// A tool that deploys a machine by a slow backend, which it polls, on the first TypeScript SDK.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
import { note, report } from "./notes.mjs";

/** What the backend says poll by poll: how far the machine is in percent, and what it does. The figure may stay. */
const COURSE = [
  [0, "Allocated"],
  [25, "Deploying: power on"],
  [25, "Deploying: PXE boot"],
  [25, "Deploying: installing the image"],
  [75, "Deploying: rebooting"],
  [75, "Deploying: configuring the network"],
  [100, "Deployed"],
];

/** The backend of machines. It forgets nobody who asked: each poll is noted. */
const backend = createServer((request, response) => {
  const { searchParams } = new URL(request.url, "http://localhost");
  const poll = Number(searchParams.get("poll"));
  note({ event: "poll", machine: searchParams.get("machine"), poll });
  const [percent, status] = COURSE[Math.min(poll, COURSE.length - 1)];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ percent, status }));
});
await new Promise((resolve) => backend.listen(0, "127.0.0.1", resolve));

const server = new McpServer({ name: "seed-maas", version: "0.0.0" });

server.registerTool(
  "deploy",
  {
    description: "Deploys a machine and says what it is doing",
    inputSchema: {
      machine: z.string().default("node-1"),
      poll_ms: z.number().default(20),
      fail_at: z.number().int().optional().describe("the poll at which the backend gives up"),
      stuck_at: z.number().int().optional().describe("the poll from which on the machine never gets further"),
      silent_from: z.number().int().optional().describe("the poll from which on nothing is reported"),
    },
  },
  async ({ machine, poll_ms, fail_at, stuck_at, silent_from }, extra) => {
    const { signal } = extra;
    const total = 100;
    let percent = 0;
    signal.addEventListener("abort", () => note({ event: "abort", reason: String(signal.reason) }));
    try {
      for (let poll = 0; percent < total; poll++) {
        const at = Math.min(poll, stuck_at ?? poll);
        const url = `http://127.0.0.1:${backend.address().port}/?machine=${machine}&poll=${at}`;
        const answer = await (await fetch(url, { signal })).json();
        percent = answer.percent;
        if (poll === fail_at) {
          await report(extra, percent, total, "Failed deployment: no disk was found");
          return { isError: true, content: [{ type: "text", text: `${machine}: no disk was found` }] };
        }
        if (poll < (silent_from ?? Infinity)) await report(extra, percent, total, answer.status);
        if (percent < total) await sleep(poll_ms, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      // Not by `extra`, which sends nothing any more once the request is cancelled.
      const progressToken = extra._meta?.progressToken;
      if (progressToken !== undefined) {
        await server.server.notification({
          method: "notifications/progress",
          params: { progressToken, progress: percent, total, message: "Deployment cancelled" },
        });
      }
      note({ event: "stopped", percent });
      throw error;
    }
    return { content: [{ type: "text", text: `${machine} is deployed` }] };
  },
);

await server.connect(new StdioServerTransport());
