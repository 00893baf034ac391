// Drives the page of the example `web_ui` in headless Chromium, against a server on the TypeScript SDK, and compares what
// the browser shows with what the server's own log says.
//
//   node drive.mjs --example PATH --server PATH --chromium PATH [--pictures DIR] [--self-test]
//
// Ends with 1 where an expectation fails. `--self-test` spoils one thing for each expectation and fails unless that is seen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openBrowser } from "./browser.mjs";

const { values: options } = parseArgs({
  options: {
    example: { type: "string" },
    server: { type: "string" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    pictures: { type: "string" },
    "self-test": { type: "boolean", default: false },
  },
});

/** Nothing here takes this long, in milliseconds, unless it never comes. */
const PATIENCE = 20_000;

/** Waits until `look` gives something. */
async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain: ${what}`);
    await sleep(20);
  }
}

/** The example, the server behind it and a browser. */
class Bench {
  /** What went wrong in any page, unless it was meant to. */
  complaints = [];
  /** What each progress bar said, in order: `[page, call, value]`. */
  seen = [];
  /** How the log is read; a self-test spoils it. */
  reading = (entry) => entry;
  patience = PATIENCE;

  static async open() {
    const bench = new Bench();
    bench.folder = mkdtempSync(join(tmpdir(), "web-ui-"));
    bench.logFile = join(bench.folder, "log.jsonl");
    const command = ["--port", "0", "--", process.execPath, options.server];
    bench.example = spawn(options.example, command, {
      env: { ...process.env, WEB_LOG: bench.logFile },
      stdio: ["ignore", "pipe", "inherit"],
    });
    bench.gone = new Promise((resolve) => bench.example.on("exit", (code, signal) => resolve({ code, signal })));
    let said = "";
    bench.example.stdout.on("data", (text) => (said += text));
    bench.url = (await until("the example names its URL", () => /http:\/\/[\d.]+:\d+/.exec(said)))[0];
    const viewport = { width: 1000, height: 760 };
    bench.context = await openBrowser(options.chromium, bench.folder, { viewport });
    return bench;
  }

  async close() {
    await this.context?.close();
    this.example?.kill("SIGINT");
    const late = setTimeout(() => this.example?.kill("SIGKILL"), 5000);
    await this.gone;
    clearTimeout(late);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  /** A tab in which everything is watched. */
  async tab(name, settings = {}) {
    const page = await this.context.newPage();
    if (settings.ownClock) await page.clock.install();
    const complain = (text) => settings.lenient || this.complaints.push(`${name}: ${text}`);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(message.text());
    });
    page.on("pageerror", (error) => complain(error.message));
    page.on("response", (response) => {
      if (response.status() >= 400) complain(`${response.status()} for ${response.url()}`);
    });
    page.on("requestfailed", (failed) => {
      // Loading a page again ends its stream: that is how it goes.
      const ended = failed.url().endsWith("/events") && failed.failure()?.errorText === "net::ERR_ABORTED";
      if (!ended) complain(`${failed.failure()?.errorText} for ${failed.url()}`);
    });
    await page.exposeFunction("noteValue", (call, value) => this.seen.push([name, call, value]));
    await page.addInitScript(() => {
      // Each value, however shortly it is there: an observer is told of all changes.
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const call = target.closest("[data-call]")?.dataset.call;
          const value = target.getAttribute("aria-valuenow");
          if (call && value !== null) window.noteValue(call, Number(value));
        }
      }).observe(document, { subtree: true, attributes: true, attributeFilter: ["aria-valuenow"] });
    });
    await page.goto(settings.url ?? this.url);
    await until("the tools are listed", () => page.locator("#tool option").count());
    return page;
  }

  log() {
    if (!existsSync(this.logFile)) return [];
    const lines = readFileSync(this.logFile, "utf8").split("\n");
    lines.pop();
    return lines.map((line) => JSON.parse(line)).map(this.reading).filter(Boolean);
  }

  logged(event, label) {
    return this.log().filter((entry) => entry.event === event && entry.label === label);
  }

  /** Starts a call with the mouse, and gives its card. */
  async start(page, given) {
    await page.getByLabel("Tool").selectOption("work");
    await page.getByLabel("Arguments").fill(JSON.stringify(given));
    await page.getByRole("button", { name: "Start" }).click();
    return this.card(page, given.label);
  }

  /** The card of a call, by the id that the server was given as its token. */
  async card(page, label) {
    const [{ token }] = await until(`${label} is called`, () => {
      const called = this.logged("called", label);
      return called.length && called;
    });
    const card = page.locator(`[data-call=${JSON.stringify(token)}]`);
    await card.waitFor({ timeout: this.patience });
    return { id: token, card, bar: card.getByRole("progressbar"), state: card.locator(".state") };
  }

  values(name, id) {
    return this.seen.filter(([page, call]) => page === name && call === id).map(([, , value]) => value);
  }

  /** What the bar said is what the tool sent, and rises. */
  compare(name, id, label) {
    const values = this.values(name, id);
    const sent = this.logged("sent", label).map((entry) => entry.progress);
    for (const value of values) assert(sent.includes(value), `${label}: ${value} is shown, sent were ${sent}`);
    for (const [at, value] of values.entries()) {
      assert(at === 0 || value >= values[at - 1], `${label}: the value falls: ${values}`);
    }
    return [...new Set(values)];
  }

  async stateOf(call, words) {
    const shown = async () => (await call.state.textContent()) === words;
    await until(`the call is ${words}`, shown, this.patience);
  }
}

/** Two calls at once; one is cancelled, the page is loaded again in the middle of the other; a second tab looks on. */
async function twoCalls(bench) {
  const page = await bench.tab("first");
  const one = await bench.start(page, { label: "one", steps: 80, delay_ms: 110 });
  const two = await bench.start(page, { label: "two", steps: 800, delay_ms: 90, unit: 2.5 });
  for (const [call, label] of [[one, "one"], [two, "two"]]) {
    await until(`three values of ${label}`, () => new Set(bench.values("first", call.id)).size >= 3);
    const values = bench.compare("first", call.id, label);
    assert(values.length >= 3, `${label}: only ${values}`);
    console.log(`${label}: aria-valuenow ${values.slice(0, 5).join(", ")}, …, as the tool's log says`);
  }
  assert.equal(await one.bar.getAttribute("aria-valuemax"), "80");
  assert.equal(await two.bar.getAttribute("aria-valuemax"), "2000");

  const figures = async () => one.card.locator(".figures").textContent();
  await until("the rest is estimated", async () => / a second · \d+ s left$/.test(await figures()));

  const other = await bench.tab("second");
  const there = { one: await bench.card(other, "one"), two: await bench.card(other, "two") };
  const least = Number(await one.bar.getAttribute("aria-valuenow"));
  await until("the second tab goes on", () => bench.values("second", one.id).some((value) => value > least));
  for (const id of [one.id, two.id]) bench.compare("second", id, id === one.id ? "one" : "two");

  await two.card.getByRole("button", { name: "Cancel work" }).click();
  await until("the server's log says that two was aborted", () => bench.logged("aborted", "two").length, bench.patience);
  for (const call of [two, there.two]) await bench.stateOf(call, "cancelled");
  console.log(`cancelled by the button: ${JSON.stringify(bench.logged("aborted", "two")[0])}`);
  assert.equal(bench.logged("finished", "two").length, 0);

  const before = Number(await one.bar.getAttribute("aria-valuenow"));
  await page.reload();
  const again = await bench.card(page, "one");
  assert.equal(again.id, one.id);
  const value = async () => Number((await again.bar.getAttribute("aria-valuenow")) ?? NaN);
  await until("the bar is back", async () => !Number.isNaN(await value()));
  const after = (await value()) + (bench.loses ?? 0);
  assert(after >= before, `after loading again the value is ${after}, it was ${before}`);
  await bench.stateOf(again, "running");
  console.log(`loaded again at ${before}: the same call, at ${after}`);

  for (const call of [again, there.one]) await bench.stateOf(call, "done");
  assert.equal(await again.card.locator(".result").textContent(), "one: 80 steps");
  for (const name of ["first", "second"]) {
    const values = bench.compare(name, one.id, "one");
    assert.equal(values.at(-1), 80, `${name}: the last value is ${values.at(-1)}`);
  }
  // Cancelled and finished calls are still there after one more time, with their results.
  await page.reload();
  for (const [label, words] of [["one", "done"], ["two", "cancelled"]]) {
    await bench.stateOf(await bench.card(page, label), words);
  }
  await other.close();
  return page;
}

/** Markup in a message and in a result is text. */
async function markup(bench, page) {
  const message = '<img src="x" onerror="document.title = `taken over`"><b>bold</b>';
  const call = await bench.start(page, { label: "markup", steps: 2, delay_ms: 60, message });
  await bench.stateOf(call, "done");
  await bench.spoil?.(call.card);
  assert.equal(await call.card.locator(".message").textContent(), message);
  assert.equal(await call.card.locator(".result").textContent(), message);
  assert.equal(await page.locator("#calls :is(img, b, script)").count(), 0);
  assert.doesNotMatch(await page.title(), /taken over/);
}

/** Without a total nothing is pretended; a failed tool says so; nonsense in the form goes nowhere. */
async function looks(bench, page) {
  const open = await bench.start(page, { label: "open", steps: 1000, delay_ms: 60, known: false });
  await until("a figure", async () => /\d/.test((await open.card.locator(".figures").textContent()) ?? ""));
  assert.equal(await open.bar.getAttribute("aria-valuenow"), bench.pretends ?? null);
  assert.equal(await open.bar.getAttribute("aria-valuemax"), null);
  const failing = await bench.start(page, { label: "failing", steps: 1, delay_ms: 1, fail: true });
  await bench.stateOf(failing, "tool error");
  assert.equal(await failing.bar.getAttribute("aria-label"), "work");
  await failing.card.getByRole("button", { name: "Dismiss work" }).click();
  await failing.card.waitFor({ state: "detached" });

  const calls = await page.locator("[data-call]").count();
  await page.getByLabel("Arguments").fill("{oops");
  await page.getByRole("button", { name: "Start" }).click();
  await until("the mistake is told", async () => /no JSON/.test(await page.getByRole("alert").textContent()));
  assert.equal(await page.locator("[data-call]").count(), calls);
  await page.getByRole("button", { name: "Cancel work" }).click();
  await bench.stateOf(open, "cancelled");
}

/** A server that says nothing for long: the page tells, and takes it back when there is a word. */
async function silence(bench) {
  const page = await bench.tab("third", { ownClock: true });
  const call = await bench.start(page, { label: "silent", steps: 2, delay_ms: 6000 });
  const hint = async () => (await call.card.locator(".quiet").textContent()) ?? "";
  assert.equal(await hint(), "");
  await page.clock.fastForward(bench.forward ?? 25_000);
  await until("the silence is told", async () => /^No word from the server for \d+ s$/.test(await hint()), bench.patience);
  await page.clock.setSystemTime(Date.now());
  await until("an update", () => bench.values("third", call.id).length);
  await until("the silence is over", async () => (await hint()) === "", bench.patience);
  await call.card.getByRole("button", { name: "Cancel work" }).click();
  await bench.stateOf(call, "cancelled");
  await page.close();
}

/** The connection breaks, and comes back by itself: the same card goes on, and its value does not fall. */
async function broken(bench) {
  const sockets = new Set();
  const between = createServer((near) => {
    const far = connect(new URL(bench.url).port, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => other.destroy() && sockets.delete(socket));
      socket.pipe(other);
    }
  });
  // A step that fails leaves it behind, and it holds nobody up.
  between.unref();
  await new Promise((resolve) => between.listen(0, "127.0.0.1", resolve));
  const page = await bench.tab("fourth", { url: `http://127.0.0.1:${between.address().port}`, lenient: true });
  const call = await bench.start(page, { label: "broken", steps: 1000, delay_ms: 80 });
  const values = () => bench.values("fourth", call.id);
  await until("three values", () => new Set(values()).size >= 3);
  const link = async () => page.locator("#link").textContent();
  assert.equal(await link(), "live");
  if (!bench.unbroken) for (const socket of sockets) socket.destroy();
  await until("the page sees that the connection is cut", async () => (await link()) === "reconnecting", bench.patience);
  const before = values().at(-1);
  await until("it is back", async () => (await link()) === "live", bench.patience);
  await until("the bar goes on", () => values().at(-1) > before, bench.patience);
  bench.compare("fourth", call.id, "broken");
  assert.equal(await page.locator(`[data-call="${call.id}"]`).count(), 1);
  await call.card.getByRole("button", { name: "Cancel work" }).click();
  await bench.stateOf(call, "cancelled");
  await page.close();
  between.close();
}

/** By keyboard alone: into the form, started, and over to the button that cancels. */
async function keyboard(bench, page) {
  await page.reload();
  await until("the tools are listed", () => page.locator("#tool option").count());
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.id);
  const tabTo = (wanted) =>
    until(`Tab leads to ${wanted}`, async () => {
      await page.keyboard.press("Tab");
      return (await focused()) === wanted;
    });
  await tabTo("arguments");
  await page.keyboard.press("Control+A");
  await page.keyboard.type(JSON.stringify({ label: "typed", steps: 1000, delay_ms: 100 }));
  await page.keyboard.press("Control+Enter");
  const call = await bench.card(page, "typed");
  await tabTo("Cancel work");
  await page.keyboard.press("Enter");
  await until("typed is aborted", () => bench.logged("aborted", "typed").length, bench.patience);
  await bench.stateOf(call, "cancelled");
  assert.equal(await focused(), "Dismiss work", "the focus is lost with the button");
}

/** On a telephone: nothing sticks out, and the buttons are large enough for a finger. */
async function phone(bench, page) {
  await page.setViewportSize({ width: 390, height: 844 });
  const call = await bench.start(page, {
    label: "phone",
    steps: 1000,
    delay_ms: 100,
    message: `a-word-that-does-not-end-${"x".repeat(200)}`,
  });
  await until("its first message", () => call.card.locator(".message").textContent());
  await bench.widen?.(page);
  const { wide, shown } = await page.evaluate(() => ({
    wide: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    shown: document.documentElement.clientWidth,
  }));
  assert(wide <= shown, `the page is ${wide} wide, ${shown} are shown`);
  for (const name of ["Start", "Cancel work"]) {
    const button = page.getByRole("button", { name });
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    assert(box.x >= 0 && box.x + box.width <= 390 && box.height >= 40 && box.width >= 40, `${name}: ${JSON.stringify(box)}`);
  }
  if (options.pictures) await page.screenshot({ path: join(options.pictures, "phone.png") });
  await page.getByRole("button", { name: "Cancel work" }).click();
  await until("phone is aborted", () => bench.logged("aborted", "phone").length, bench.patience);
  await page.setViewportSize({ width: 1000, height: 760 });
}

/** Nothing was in the console, and no request failed. */
async function clean(bench) {
  assert.deepEqual(bench.complaints, []);
}

/** What other pages could try from a browser on this machine. */
async function strangers(bench) {
  const { hostname, port } = new URL(bench.url);
  const ask = (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const asked = request({ hostname, port, method, path, headers }, (response) => {
        response.resume();
        resolve(response);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  const body = JSON.stringify({ tool: "work", arguments: { label: "stranger" } });
  const status = async (...asked) => (await ask(...asked)).statusCode;
  assert.equal(await status("GET", "/tools", { host: "evil.example" }), bench.refusal ?? 421);
  assert.equal(await status("POST", "/calls", { "content-type": "text/plain" }, body), 415);
  assert.equal(await status("DELETE", "/calls/unknown", {}), 404);
  // No page may show this one in a frame of its own, for the visitor to click in.
  assert.equal((await ask("GET", "/", {})).headers["x-frame-options"], "DENY");
  assert.equal(bench.logged("called", "stranger").length, 0);
}

/** Stopped while a call runs: the server hears of it, visitors too, and the program ends well. */
async function shutdown(bench, page) {
  const call = await bench.start(page, { label: "last", steps: 1000, delay_ms: 100 });
  await until("its first value", () => bench.values("first", call.id).length);
  bench.example.kill(bench.signal ?? "SIGINT");
  await bench.stateOf(call, "cancelled");
  await until("last is aborted", () => bench.logged("aborted", "last").length, bench.patience);
  assert.deepEqual(await bench.gone, { code: 0, signal: null });
  const link = async () => (await page.locator("#link").textContent()) === "reconnecting";
  await until("the page knows", link, bench.patience);
}

/** Each of these spoils one thing; the step must see it and say so. */
const spoiled = [
  ["a figure that was not sent", twoCalls, /is shown, sent were/, (bench) => {
    bench.reading = (entry) => (entry.event === "sent" ? { ...entry, progress: entry.progress + 0.5 } : entry);
  }],
  ["a server that was never told", twoCalls, /log says that two was aborted/, (bench) => {
    bench.reading = (entry) => (entry.event === "aborted" ? undefined : entry);
  }],
  ["a value that is lower after loading again", twoCalls, /after loading again the value is/, (bench) => (bench.loses = -1000)],
  ["markup that became an element", markup, /bold/, (bench) => {
    bench.spoil = (card) => card.locator(".message").evaluate((node) => (node.innerHTML = node.textContent));
  }],
  ["a bar that pretends", looks, /null/, (bench) => (bench.pretends = "1")],
  ["a silence that is not told", silence, /the silence is told/, (bench) => (bench.forward = 1000)],
  ["a connection that is not cut", broken, /connection is cut/, (bench) => (bench.unbroken = true)],
  ["a page that is too wide", phone, /390 are shown/, (bench) => {
    bench.widen = (page) => page.evaluate(() => (document.body.style.width = "500px"));
  }],
  ["a complaint in the console", clean, /a complaint/, (bench, page) => page.evaluate(() => console.error("a complaint"))],
  ["a stranger who is let in", strangers, /421/, (bench) => (bench.refusal = 200)],
  ["a program that does not end well", shutdown, /the call is cancelled/, (bench) => (bench.signal = "SIGKILL")],
];

async function selfTest() {
  let missed = 0;
  for (const [what, step, words, spoil] of spoiled) {
    const bench = await Bench.open();
    bench.patience = 4000;
    try {
      const page = [twoCalls, silence, broken].includes(step) ? undefined : await bench.tab("first");
      await spoil(bench, page);
      await step(bench, page);
      missed += 1;
      console.error(`NOT SEEN: ${what}`);
    } catch (error) {
      if (words.test(error.message)) {
        console.log(`seen: ${what}`);
      } else {
        missed += 1;
        console.error(`SEEN AS SOMETHING ELSE: ${what}:`, error);
      }
    } finally {
      await bench.close();
    }
  }
  return missed === 0;
}

async function everything() {
  const bench = await Bench.open();
  try {
    const page = await twoCalls(bench);
    for (const step of [markup, looks, silence, broken, keyboard, phone, clean, strangers, shutdown]) {
      await step(bench, page);
      console.log(`passed: ${step.name}`);
    }
    return true;
  } catch (error) {
    console.error(error);
    console.error("complaints of the pages:", bench.complaints);
    console.error("the server's log:", bench.log().slice(-20));
    return false;
  } finally {
    await bench.close();
  }
}

// What holds all this up for so long is a failure too.
setTimeout(() => {
  console.error("it does not come to an end");
  process.exit(1);
}, 5 * 60_000).unref();

process.exitCode = (await (options["self-test"] ? selfTest() : everything())) ? 0 : 1;
