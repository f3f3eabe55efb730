// What the open console costs a server under load, and how smoothly it draws:
//   node build/tests/console/cost.mjs [--open 50000] [--rate 2000] [--seconds 8] [--pairs 4] [VIEW…]
// One server, `open` orders that wait for slow payments, and `rate` orders a second that settle (0: as many as it takes,
// by 32 connections). For each view pairs of runs with and without the page, in turn, so that what else the machine does
// hits both. Told: orders a second, and the server's own CPU an order (/proc/PID/stat), with the page in Chromium and,
// since a browser on the same machine takes cores away, with what the page asks alone, asked by a plain client. For
// people: it fails for nothing.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";

const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

// -- the load, in a process of its own --------------------------------------------------------------

/** Places orders until `count` of them or the end of the time; how many were accepted. */
async function placeOrders({ url, rate, seconds, count, token, wait, connections }) {
  const { hostname, port } = new URL(url);
  const body = (n) => JSON.stringify({ customer_id: `c-${n % 1_000}`, lines: [{ sku: `sku-${n % 16}`, quantity: 1 }], payment: { method: "card", token },
    shipping_address: { line1: "1 Sejong-daero", city: "Seoul", country: "KR" } });
  const request = (n) => {
    const text = body(n);
    return `POST /v1/orders HTTP/1.1\r\nHost: cost\r\nContent-Type: application/json\r\n${wait ? `Prefer: wait=${wait}\r\n` : ""}Content-Length: ${text.length}\r\n\r\n${text}`;
  };
  const began = performance.now(), end = began + seconds * 1_000;
  let sent = 0, good = 0, refused = 0;
  const due = () => (rate ? Math.floor(((performance.now() - began) / 1_000) * rate) : Infinity);
  const over = () => performance.now() > end || (count && good >= count);
  await Promise.all(Array.from({ length: connections }, () => new Promise((done, fail) => {
    const socket = connect(Number(port), hostname);
    let waits = "";
    const next = () => {
      if (over()) return socket.end(), done();
      if (sent >= due()) return setTimeout(next, 1);
      socket.write(request(sent++));
    };
    socket.setNoDelay(true).on("connect", next).on("error", fail).on("data", (bytes) => {
      waits += bytes.toString("latin1");
      for (;;) {
        const head = waits.indexOf("\r\n\r\n");
        const length = head < 0 ? -1 : Number(/content-length: (\d+)/i.exec(waits)?.[1] ?? 0);
        if (head < 0 || waits.length < head + 4 + length) return;
        waits.startsWith("HTTP/1.1 201") ? good++ : refused++;
        waits = waits.slice(head + 4 + length);
        next();
      }
    });
  })));
  return { good, refused, seconds: (performance.now() - began) / 1_000 };
}
const load = (what) => new Promise((done) => {
  fork(fileURLToPath(import.meta.url), { execArgv: process.execArgv }).once("message", done).send(what);
});

// -- the measurement --------------------------------------------------------------------------------

/** Seconds of CPU, of all threads (proc(5)). */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Asks what the page has asked, as often, without a browser. */
function replay(asked, span) {
  const over = new AbortController();
  for (const { url, at, stream } of asked)
    void (async () => {
      await sleep(stream ? 0 : at);
      while (!over.signal.aborted) {
        try {
          const answer = await fetch(url, { signal: over.signal, headers: stream ? { Accept: "text/event-stream" } : {} });
          if (stream) for await (const _ of answer.body) void _;
          else await answer.arrayBuffer();
        } catch { /* the end */ }
        await sleep(stream ? 100 : span).catch(() => {});
      }
    })();
  return () => over.abort();
}

/** Frames and long tasks of the page, from now on. */
const watchFrames = (page) => page.evaluate(() => {
  const seen = (window.seen = { frames: [], tasks: [] });
  let last = performance.now();
  const tick = (now) => { seen.frames.push(now - last), (last = now), requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  new PerformanceObserver((list) => list.getEntries().forEach((e) => seen.tasks.push(e.duration))).observe({ entryTypes: ["longtask"] });
});
async function framesOf(page) {
  const { frames, tasks } = await page.evaluate(() => window.seen);
  const busy = await page.evaluate(() => performance.now());
  return { p50: median(frames), p99: frames.toSorted((a, b) => a - b)[Math.floor(frames.length * 0.99)], perSecond: 1_000 / (frames.reduce((a, b) => a + b, 0) / frames.length),
    late: frames.filter((f) => f > 34).length, frames: frames.length, tasks: tasks.length, longest: Math.max(0, ...tasks), busy };
}

async function main() {
  const { close, go, heading, open } = await import("./support/browser.mjs");
  const { Server } = await import("./support/server.mjs");
  const { addProduct } = await import("./support/shop.mjs");
  const { values: v, positionals } = parseArgs({ allowPositionals: true, options: { open: { type: "string", default: "50000" }, rate: { type: "string", default: "2000" },
    seconds: { type: "string", default: "8" }, pairs: { type: "string", default: "4" }, json: { type: "boolean", default: false } } });
  const [opened, rate, seconds, pairs] = [v.open, v.rate, v.seconds, v.pairs].map(Number);
  const server = new Server("--enable-faults", "--payment-timeout-ms", "100000", "--max-waiting-orders", "1000000");
  await server.start();
  try {
    for (let i = 0; i < 16; i++) await addProduct(server, `sku-${i}`, 900_000_000);
    if (opened) {
      const filled = await load({ url: server.shop, rate: 0, seconds: 600, count: opened, token: "tok_slow_3600000", connections: 32 });
      console.log(`# ${filled.good} orders wait for slow payments, placed in ${filled.seconds.toFixed(0)} s`);
      await sleep(3_000);
    }
    const { data: [first] } = await server.ask("GET", "/admin/v1/sagas?limit=1");
    const views = Object.entries({ overview: "#/", orders: "#/orders", order: `#/orders/${first?.order_id}`, attention: "#/attention", inventory: "#/inventory?by=reserved",
      sku: "#/inventory/sku-1", events: "#/events", actors: "#/actors", busiest: "#/actors?by=messages_handled", actor: "#/actors/supervisor%2F1", cluster: "#/cluster?by=load",
      storage: "#/storage", audit: "#/audit", settings: "#/audit?tab=settings", faults: "#/faults" }).filter(([name]) => !positionals.length || positionals.includes(name));
    const measured = async (during = async () => {}) => {
      const before = cpu(server.pid), from = performance.now();
      const [said, more] = await Promise.all([load({ url: server.shop, rate, seconds, token: "tok_approve", wait: 10, connections: 32 }), during()]);
      const used = cpu(server.pid) - before;
      return { perSecond: said.good / said.seconds, each: (used * 1e6) / said.good, share: used / ((performance.now() - from) / 1_000), refused: said.refused, more };
    };
    await measured(); // warm
    const table = [];
    for (const [name, place] of views) {
      const page = await open(server.ops, place);
      await heading(page).waitFor();
      await sleep(2_000);
      const asked = [], since = performance.now();
      page.on("request", (q) => {
        if (/\/v1\/|\/admin\//.test(q.url())) asked.push({ url: q.url(), at: performance.now() - since, stream: q.headers().accept === "text/event-stream" });
      });
      const span = 6_000;
      await sleep(span);
      const polled = asked.filter((a) => !a.stream);
      const streams = [`${server.ops}/admin/v1/overview`, ...(name === "events" ? [`${server.ops}/v1/events?after=latest`] : [])].map((url) => ({ url, at: 0, stream: true }));
      const runs = { off: [], alone: [], on: [] };
      for (let i = 0; i < pairs; i++)
        for (const kind of i % 2 ? ["on", "alone", "off"] : ["off", "alone", "on"]) {
          if (kind === "on") {
            await page.bringToFront();
            await go(page, place);
            await page.evaluate(() => dispatchEvent(new Event("visibilitychange")));
            runs.on.push(await measured(async () => {
              await sleep(1_000);
              await watchFrames(page);
              await sleep((seconds - 2) * 1_000);
              return framesOf(page);
            }));
          } else {
            await page.goto("about:blank"); // nothing is asked
            const stop = kind === "alone" ? replay([...polled, ...streams], span) : () => {};
            runs[kind].push(await measured());
            stop();
            if (kind !== "on") await page.goto(`${server.ops}/console/${place}`);
          }
        }
      await page.context().close();
      const of = (kind, what) => median(runs[kind].map((r) => r[what]));
      const dearer = (kind) => (of(kind, "each") / of("off", "each") - 1) * 100;
      const frames = runs.on.map((r) => r.more);
      const row = { view: name, "asks/s": ((polled.length / span) * 1_000).toFixed(1), "orders/s off": of("off", "perSecond").toFixed(0),
        "alone": of("alone", "perSecond").toFixed(0), "page": of("on", "perSecond").toFixed(0), "µs each off": of("off", "each").toFixed(0),
        "alone %": dearer("alone").toFixed(1), "page %": dearer("on").toFixed(1), "frames/s": median(frames.map((f) => f.perSecond)).toFixed(1),
        "frame p99 ms": median(frames.map((f) => f.p99)).toFixed(0), "long tasks": frames.reduce((n, f) => n + f.tasks, 0), "longest ms": Math.max(...frames.map((f) => f.longest)).toFixed(0) };
      table.push(row);
      console.log(Object.entries(row).map(([k, x]) => `${k}=${x}`).join("  "));
    }
    console.table(table);
    if (v.json) console.log(JSON.stringify(table));
  } finally {
    await close();
    await server.remove();
  }
}

if (process.send) {
  process.once("message", async (what) => {
    process.send(await placeOrders(what));
    process.disconnect();
  });
} else {
  await main();
}
