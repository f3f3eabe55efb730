// What the open console costs a server under load, and how smoothly it draws:
//   node build/tests/console/cost.mjs [--open 50000] [--rate 2000] [--seconds 8] [--pairs 1] [VIEW…]
// One server, `open` orders that wait for slow payments, and `rate` orders a second that settle (0: as many as it takes,
// by 32 connections). For each view, the server's CPU (/proc/PID/stat) for what the page asks while nothing else is
// asked; then pairs of runs under load with and without the page, in turn, so that what else the machine does hits both:
// orders a second and CPU an order, with the page in Chromium and, since a browser on the same machine takes cores away,
// with what it asks alone, asked by a plain client. --pairs 0: the first alone; more than 1 do not fit before
// the payments time out, after 100 s, and 50,000 sagas ask what became of them. For people: it fails for nothing.
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

/** What each view asks, and every how many ms (0: a stream). A browser that is starved asks less often, so it is written down. */
const asksOf = (order) => ({
  overview: { "/admin/v1/cluster": 5_000 },
  orders: { "/admin/v1/sagas?limit=100": 2_500 },
  order: { [`/v1/orders/${order}`]: 2_000, [`/admin/v1/sagas/${order}`]: 2_000, [`/admin/v1/orders/${order}/timeline`]: 2_000 },
  attention: { "/admin/v1/attention": 3_000 },
  inventory: { "/v1/inventory?limit=200": 3_000 },
  sku: { "/v1/inventory/sku-1": 1_500, "/admin/v1/inventory/sku-1/reservations?limit=100": 3_000, "/v1/inventory/sku-1/movements?limit=100": 3_000 },
  events: { "/v1/events?after=latest&limit=1": 1_000, "/v1/events?after=100&limit=50": 1_000 }, // above 400 events a second
  actors: { "/admin/v1/actor-totals": 2_000, "/admin/v1/actors?parent=&node=&limit=200": 2_000, "/admin/v1/actors?parent=node&node=n1&limit=200": 2_000 },
  busiest: { "/admin/v1/actor-totals": 2_000, "/admin/v1/actors?sort=messages_handled&limit=200": 2_000 },
  sagas: { "/admin/v1/actor-totals": 2_000, "/admin/v1/actors?kind=saga&limit=200": 2_000 },
  actor: { "/admin/v1/actors/supervisor%2F1": 1_500, "/admin/v1/actors/supervisor%2F1/recording": 1_500 },
  cluster: { "/admin/v1/cluster": 2_000, "/admin/v1/shards": 2_000 },
  storage: { "/admin/v1/storage": 2_000, "/admin/v1/backups": 3_000 },
  audit: { "/admin/v1/audit?limit=100": 4_000 },
  faults: { "/admin/v1/fault-targets": 2_000, "/admin/v1/faults": 2_000, "/v1/products?limit=200": 10_000 },
});
/** A server for each few views, as the payments time out. */
const viewsAtOnce = (pairs) => (pairs ? 1 : 4);
const always = { "/admin/v1/overview": 0, "/admin/v1/whoami": 30_000 };

/** Asks the same without a browser, until the returned function is called. */
function replay(base, asks) {
  const over = new AbortController();
  for (const [path, every] of Object.entries({ ...always, ...asks }))
    void (async () => {
      await sleep(Math.random() * every);
      while (!over.signal.aborted) {
        const next = sleep(every || 100);
        try {
          const answer = await fetch(base + path, { signal: over.signal, headers: every ? {} : { Accept: "text/event-stream" } });
          if (!every) for await (const _ of answer.body) void _;
          else await answer.arrayBuffer();
        } catch { /* the end */ }
        await next;
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
  const { close, heading, open } = await import("./support/browser.mjs");
  const { Server } = await import("./support/server.mjs");
  const { addProduct } = await import("./support/shop.mjs");
  const { until } = await import("./support/until.mjs");
  const { values: v, positionals } = parseArgs({ allowPositionals: true, options: { open: { type: "string", default: "50000" }, rate: { type: "string", default: "2000" },
    seconds: { type: "string", default: "8" }, pairs: { type: "string", default: "1" }, json: { type: "boolean", default: false } } });
  const names = Object.keys(asksOf("")).filter((name) => !positionals.length || positionals.includes(name));
  const [opened, rate, seconds, pairs] = [v.open, v.rate, v.seconds, v.pairs].map(Number);
  const table = [];
  let each = 0;
  for (let from = 0; from < names.length; from += viewsAtOnce(pairs)) await some(names.slice(from, from + viewsAtOnce(pairs)));
  console.table(table);
  if (v.json) console.log(JSON.stringify(table));
  await close();

  async function some(wanted) {
    const server = new Server("--enable-faults", "--payment-timeout-ms", "100000", "--max-waiting-orders", "1000000", "--max-provider-calls", "1000000");
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
        sku: "#/inventory/sku-1", events: "#/events", actors: "#/actors", busiest: "#/actors?by=messages_handled", sagas: "#/actors?kind=saga", actor: "#/actors/supervisor%2F1", cluster: "#/cluster?by=load",
        storage: "#/storage", audit: "#/audit", faults: "#/faults" }).filter(([name]) => wanted.includes(name));
      const measured = async (during = async () => {}) => {
        const before = cpu(server.pid), from = performance.now();
        const [said, more] = await Promise.all([load({ url: server.shop, rate, seconds, token: "tok_approve", wait: 10, connections: 32 }), during()]);
        const used = cpu(server.pid) - before;
        return { perSecond: said.good / said.seconds, each: (used * 1e6) / said.good, share: used / ((performance.now() - from) / 1_000), refused: said.refused, more };
      };
      const idle = async (ms) => {
        const before = cpu(server.pid), from = performance.now();
        await sleep(ms);
        return ((cpu(server.pid) - before) * 1e6) / (performance.now() - from); // ms a second
      };
      // After a while they leave memory; then the server is at rest.
        await until("they sleep", async () => (await server.ask("GET", "/admin/v1/actor-totals")).data.find((t) => t.kind === "saga").dormant >= 0.99 * opened);
      await sleep(3_000);
      if (pairs) await measured(); // warm
    else if (!each) {
        await measured(); // warm
        ({ each } = await measured());
        console.log(`# an order ${each.toFixed(0)} µs of the server's CPU, so ${rate} a second ${((each * rate) / 1e3).toFixed(0)} ms`);
      }
      for (const [name, place] of views) {
        const asks = asksOf(first?.order_id)[name];
        const before = await idle(seconds * 500);
        const end = replay(server.ops, asks);
        await sleep(1_000);
        const meanwhile = await idle(seconds * 1_000);
        end();
        await sleep(500);
        const asked = meanwhile - (before + (await idle(seconds * 500))) / 2;
        const perSecond = Object.values(asks).reduce((n, every) => n + 1_000 / every, 0);
        const row = { view: name, "asks/s": perSecond.toFixed(1), "CPU ms/s": asked.toFixed(1), ...(each ? { "% of load": ((asked / ((each * rate) / 1e3)) * 100).toFixed(2) } : {}) };
        const runs = { off: [], alone: [], on: [] };
        const page = pairs ? await open(server.ops, place) : undefined;
        await page?.goto("about:blank"); // nothing is asked
        for (let i = 0; i < pairs; i++)
          for (const kind of i % 2 ? ["on", "alone", "off"] : ["off", "alone", "on"]) {
            if (kind === "on") {
              await page.goto(`${server.ops}/console/${place}`);
              await heading(page).waitFor();
              runs.on.push(await measured(async () => {
                await sleep(1_000);
                await watchFrames(page);
                await sleep((seconds - 2) * 1_000);
                return framesOf(page);
              }));
              await page.goto("about:blank");
            } else {
              const stop = kind === "alone" ? replay(server.ops, asks) : () => {};
              runs[kind].push(await measured());
              stop();
            }
          }
        await page?.context().close();
        if (pairs) Object.assign(row, told(runs));
        table.push(row);
        console.log(Object.entries(row).map(([k, x]) => `${k}=${x}`).join("  "));
      }
      function told(runs) {
        const of = (kind, what) => median(runs[kind].map((r) => r[what]));
        const dearer = (kind) => (of(kind, "each") / of("off", "each") - 1) * 100;
        const frames = runs.on.map((r) => r.more);
        return { "orders/s off": of("off", "perSecond").toFixed(0),
          "alone": of("alone", "perSecond").toFixed(0), "page": of("on", "perSecond").toFixed(0), "µs each off": of("off", "each").toFixed(0),
          "alone %": dearer("alone").toFixed(1), "page %": dearer("on").toFixed(1), "frames/s": median(frames.map((f) => f.perSecond)).toFixed(1),
          "frame p99 ms": median(frames.map((f) => f.p99)).toFixed(0), "long tasks": frames.reduce((n, f) => n + f.tasks, 0), "longest ms": Math.max(...frames.map((f) => f.longest)).toFixed(0) };
      }
    } finally {
      await server.remove();
    }
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
