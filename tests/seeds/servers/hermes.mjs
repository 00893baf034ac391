// Progress on requests of every kind, both ways, on the low-level `Server` of the first TypeScript SDK.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListResourcesRequestSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { note, report } from "./notes.mjs";

const GO = "notifications/seeds/go";

const capabilities = { tools: {}, resources: {} };
const server = new Server({ name: "seed-hermes", version: "0.0.0" }, { capabilities });

/** Whoever waits until the client says that it may go on. */
let waiting = [];
server.fallbackNotificationHandler = async ({ method }) => {
  if (method !== GO) return;
  for (const go of waiting.splice(0)) go();
};
const clientSaysGo = () => new Promise((resolve) => waiting.push(resolve));

/** Three updates, of which the second has no total. */
async function three(extra, what) {
  await report(extra, 1, 3, `${what} 1`);
  await report(extra, 2, undefined, `${what} 2`);
  await report(extra, 3, 3, `${what} 3`);
}

server.setRequestHandler(ListToolsRequestSchema, async (_request, extra) => {
  await three(extra, "tool");
  return { tools: [{ name: "listen", inputSchema: { type: "object" } }] };
});

server.setRequestHandler(ListResourcesRequestSchema, async () => ({
  resources: [
    { uri: "seed:///report", name: "report" },
    { uri: "seed:///gated", name: "gated" },
  ],
}));

server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }, extra) => {
  if (uri === "seed:///gated") {
    for (let i = 1; i <= 2; i++) await report(extra, i, 5, `part ${i}`);
    await clientSaysGo();
    for (let i = 3; i <= 5; i++) {
      await report(extra, i, 5, `part ${i}`);
      note({ event: "sent", progress: i });
    }
  } else {
    await three(extra, "part");
  }
  return { contents: [{ uri, mimeType: "text/plain", text: "all is well" }] };
});

/** What the client is asked for, by name. */
const questions = {
  roots: [{ method: "roots/list" }, ListRootsResultSchema],
  elicitation: [
    {
      method: "elicitation/create",
      params: {
        mode: "form",
        message: "Who are you?",
        requestedSchema: { type: "object", properties: { name: { type: "string" } } },
      },
    },
    ElicitResultSchema,
  ],
  sampling: [
    {
      method: "sampling/createMessage",
      params: { messages: [{ role: "user", content: { type: "text", text: "Say hello." } }], maxTokens: 20 },
    },
    CreateMessageResultSchema,
  ],
};

// Asks the client and listens to its progress, by the SDK's own callback.
server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
  const [request, schema] = questions[params.arguments.kind];
  const heard = [];
  const onprogress = (progress) => {
    heard.push(progress);
    note({ event: "heard", ...progress });
  };
  await server.request(request, schema, { onprogress, relatedRequestId: extra.requestId });
  return { content: [{ type: "text", text: JSON.stringify(heard) }] };
});

await server.connect(new StdioServerTransport());
