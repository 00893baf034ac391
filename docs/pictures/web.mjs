// Takes the picture of the page: a call that is done, one that runs, and one whose end nobody knows.
//
//   node web.mjs --example PATH --chromium PATH --out FILE [--dark]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBrowser } from "./browser.mjs";

const { values: options } = parseArgs({
  options: {
    example: { type: "string" },
    chromium: { type: "string" },
    out: { type: "string" },
    dark: { type: "boolean", default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), "web-picture-"));
const example = spawn(options.example, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const gone = new Promise((resolve) => example.on("exit", resolve));
let context;
try {
  const url = await new Promise((resolve, reject) => {
    example.stdout.on("data", (text) => resolve(/http:\/\/[\d.]+:\d+/.exec(text)?.[0]));
    gone.then(() => reject(new Error("the example has ended")));
  });
  context = await openBrowser(options.chromium, folder, {
    viewport: { width: 900, height: 500 },
    colorScheme: options.dark ? "dark" : "light",
  });
  const page = await context.newPage();
  await page.goto(url);
  const start = async (tool, given) => {
    await page.getByLabel("Tool").selectOption(tool);
    await page.getByLabel("Arguments").fill(JSON.stringify(given, null, 2));
    await page.getByRole("button", { name: "Start" }).click();
    return page.locator(".call", { hasText: tool }).first();
  };
  const done = await start("count", { steps: 20, delay_ms: 40 });
  await done.locator(".result pre").waitFor();
  const open = await start("index", { files: 400, delay_ms: 110 });
  const running = await start("download", { mib: 12, delay_ms: 260 });
  await running.getByText("7.0 of 12 MiB").waitFor();
  await open.getByText("files so far").waitFor();
  // No focus ring in the picture, and the roaming bar where it looks like one.
  await page.evaluate(() => {
    document.activeElement.blur();
    for (const motion of document.getAnimations()) {
      motion.pause();
      motion.currentTime = motion.animationName === "roam" ? 800 : 10_000;
    }
  });
  await page.screenshot({ path: options.out });
} finally {
  await context?.close();
  example.kill("SIGINT");
  await gone;
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
