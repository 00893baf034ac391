// The tool `job` of the first TypeScript SDK's server: a task where its client asks for one (2025-11-25).
import { setTimeout as sleep } from "node:timers/promises";
import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from "@modelcontextprotocol/sdk/experimental/tasks";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { askedForm } from "./ts1-asks.mjs";

/** How often a client is asked to ask, in milliseconds. */
const POLL_MS = 100;

// One store for all sessions, and for the servers that have none.
const taskStore = new InMemoryTaskStore();
const taskMessageQueue = new InMemoryTaskMessageQueue();

/** What a server that has tasks is made with. */
export const tasks = () => ({
  capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
  taskStore,
  taskMessageQueue,
});

/** Works as `args` say. The log gets a line when it begins and one when it ends, and no other. */
async function work(server, taskId, { steps, delay_ms, ask }, extra, note) {
  const { taskStore } = extra;
  const progressToken = extra._meta?.progressToken;
  /** Not by `extra.sendNotification`: over HTTP that fails as soon as the request is answered, and with it the task. */
  const report = async (progress, total, message) => {
    if (progressToken === undefined) return;
    const params = { progressToken, progress, total, message };
    await server.server.notification({ method: "notifications/progress", params });
  };
  const answers = [];
  note({ event: "job started", task: taskId });
  for (let i = 1; i <= steps; i++) {
    await sleep(delay_ms);
    if ((await taskStore.getTask(taskId)).status === "cancelled") {
      return note({ event: "job cancelled", task: taskId });
    }
    await taskStore.updateTaskStatus(taskId, "working", `step ${i} of ${steps}`);
    await report(i, steps, `step ${i}`);
    if (ask && i === Math.ceil(steps / 2)) {
      const request = { method: "elicitation/create", params: askedForm(1) };
      answers.push(await extra.sendRequest(request, ElicitResultSchema, { relatedTask: { taskId } }));
      await taskStore.updateTaskStatus(taskId, "working", "answered");
    }
  }
  note({ event: "job finished", task: taskId });
  const text = JSON.stringify({ steps, answers });
  await taskStore.storeTaskResult(taskId, "completed", { content: [{ type: "text", text }] });
}

/** Adds it to `server`; `note` writes the log. */
export function addJobs(server, note) {
  server.experimental.tasks.registerToolTask(
    "job",
    {
      description: "Works for `steps`, as a task if it may",
      inputSchema: {
        steps: z.number().int().default(5),
        delay_ms: z.number().int().default(50),
        ask: z.boolean().default(false),
      },
      execution: { taskSupport: "optional" },
    },
    {
      async createTask(args, extra) {
        const task = await extra.taskStore.createTask({ ttl: extra.taskRequestedTtl, pollInterval: POLL_MS });
        work(server, task.taskId, args, extra, note).catch((error) =>
          extra.taskStore.updateTaskStatus(task.taskId, "failed", String(error)).catch(() => {}),
        );
        return { task };
      },
      getTask: (_args, { taskStore, taskId }) => taskStore.getTask(taskId),
      getTaskResult: (_args, { taskStore, taskId }) => taskStore.getTaskResult(taskId),
    },
  );
}
