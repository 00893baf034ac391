// What the Node servers of this folder have in common.
import { appendFileSync } from "node:fs";

// Ends with its input, so that no server outlives whoever started it.
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0));

/** Notes what happened where the test can read it: a line of JSON each. */
export function note(entry) {
  if (process.env.PEER_LOG) appendFileSync(process.env.PEER_LOG, `${JSON.stringify(entry)}\n`);
}

/** An update for a request, if its sender asked for updates; none after the request was cancelled, as the SDK has it. */
export async function report(extra, progress, total, message) {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  await extra.sendNotification({
    method: "notifications/progress",
    params: { progressToken, progress, total, message },
  });
}
