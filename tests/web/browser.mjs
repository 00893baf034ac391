// A headless Chromium that is new, quiet and alone.
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Opens one with an empty profile below `folder`, which belongs to the caller. */
export function openBrowser(executablePath, folder, settings) {
  return chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...settings,
  });
}
