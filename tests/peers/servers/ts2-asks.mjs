// The tools of the second TypeScript SDK's server that ask their client, and the one that shows what it was sent. They
// return their questions; to a client of a handshake revision the SDK itself sends them as requests.
import { inputRequired } from "@modelcontextprotocol/server";
import { z } from "zod";

const form = {
  type: "object",
  properties: {
    name: { type: "string", default: "Ada" },
    number: { type: "number", default: 2.5 },
  },
};

/** Adds them to `server`; `report` sends an update. */
export function addAsks(server, report) {
  /** A tool that asks `questions` in turn, with an update before each and one at the end. */
  const add = (name, questions) =>
    server.registerTool(
      name,
      { description: `Asks its client, ${questions.length} times`, inputSchema: z.object({}) },
      async (_args, ctx) => {
        // What the legs before were told, as the client carries it: in the open, since a test has no secrets.
        const { answers } = JSON.parse(ctx.mcpReq.requestState() ?? '{"answers":[]}');
        const key = `question-${answers.length + 1}`;
        const answer = ctx.mcpReq.inputResponses?.[key];
        if (answer !== undefined) answers.push(answer);
        const [number, last] = [answers.length + 1, questions.length + 1];
        await report(ctx, number, last, `step ${number}`);
        if (number === last) return { content: [{ type: "text", text: JSON.stringify({ answers }) }] };
        return inputRequired({
          inputRequests: { [`question-${number}`]: questions[answers.length] },
          // Quotes, a line's end and letters beyond ASCII: it must come back as it was.
          requestState: JSON.stringify({ odd: '"ö"\n', answers }),
        });
      },
    );
  const asked = (number) =>
    inputRequired.elicit({ message: `Question ${number}: who are you?`, requestedSchema: form });

  add("ask", [asked(1)]);
  add("ask_twice", [asked(1), asked(2)]);
  add("ask_url", [inputRequired.elicitUrl({ message: "Please sign in", url: "https://example.com/sign-in" })]);
  add("sample", [
    inputRequired.createMessage({
      messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
      maxTokens: 20,
    }),
  ]);

  server.registerTool("trace", { description: "Shows the metadata of its request" }, (ctx) => ({
    content: [{ type: "text", text: JSON.stringify(ctx.mcpReq._meta ?? {}) }],
  }));
}
