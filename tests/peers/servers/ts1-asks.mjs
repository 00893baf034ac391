// The tools of the first TypeScript SDK's server that ask their client, and the one that shows what it was sent.

const form = {
  type: "object",
  properties: {
    name: { type: "string", default: "Ada" },
    number: { type: "number", default: 2.5 },
  },
};

/** The question for a name and a number, with defaults for both. */
export const askedForm = (number) => ({
  mode: "form",
  message: `Question ${number}: who are you?`,
  requestedSchema: form,
});

/** Adds them to `server`; `report` sends an update. */
export function addAsks(server, report) {
  /** A tool that asks `questions` in turn, with an update before each and one at the end. */
  const add = (name, questions) =>
    server.registerTool(name, { description: `Asks its client, ${questions.length} times` }, async (extra) => {
      const answers = [];
      for (const [index, question] of questions.entries()) {
        await report(extra, index + 1, questions.length + 1, `step ${index + 1}`);
        // With the request it belongs to, so that it goes out on that request's stream.
        answers.push(await question({ relatedRequestId: extra.requestId }));
      }
      const last = questions.length + 1;
      await report(extra, last, last, `step ${last}`);
      return { content: [{ type: "text", text: JSON.stringify({ answers }) }] };
    });
  const asked = (number) => (options) => server.server.elicitInput(askedForm(number), options);

  add("ask", [asked(1)]);
  add("ask_twice", [asked(1), asked(2)]);
  add("ask_url", [
    (options) =>
      server.server.elicitInput(
        { mode: "url", message: "Please sign in", url: "https://example.com/sign-in", elicitationId: "sign-in-1" },
        options,
      ),
  ]);
  add("sample", [
    (options) =>
      server.server.createMessage(
        { messages: [{ role: "user", content: { type: "text", text: "Say hello." } }], maxTokens: 20 },
        options,
      ),
  ]);

  server.registerTool("trace", { description: "Shows the metadata of its request" }, (extra) => ({
    content: [{ type: "text", text: JSON.stringify(extra._meta ?? {}) }],
  }));
}
