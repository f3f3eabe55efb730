import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { addProduct, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const server = new Server();
before(async () => {
  await server.start();
  await addProduct(server, "americano");
});
afterEach(closePages);
after(async () => {
  await close();
  await server.remove();
});

test("a server that is killed and started again: the page says so, and goes on by itself", async () => {
  const order = (await placeOrder(server)).id;
  const page = await open(server.ops, "#/events");
  await page.getByText("Waiting for the next event…").waitFor();
  await server.stop("SIGKILL");
  await page.getByText("No connection to the server.").waitFor();
  await page.getByText("Events", { exact: true }).first().waitFor(); // what was there is still there
  await server.start();
  const next = (await placeOrder(server)).id; // the tail shows it, whether it is back by now or later
  await page.getByText(/^Node n1 was restarted|^The connection is back/).first().waitFor();
  await until("no more complaint", async () => (await page.getByText("No connection to the server.").count()) === 0);
  const rows = page.getByRole("table", { name: "Events" }).locator("tbody tr[aria-rowindex]");
  await until("the tail goes on", async () => (await rows.filter({ hasText: next.slice(-6) }).count()) > 0);
  await go(page, `#/orders/${order}`);
  await heading(page).getByText(order).waitFor();
  await done(page);
});

test("each view lives through a restart: what it shows stays, and it goes on", async () => {
  await placeOrder(server);
  const views = [["#/", "Overview"], ["#/orders?preset=done", "Orders"], ["#/inventory/americano", "SKU americano"], ["#/actors", "Actors"],
    ["#/actors/payment%2F1", "Actor payment/1"], ["#/cluster?shard=3", "Shards and nodes"], ["#/storage", "Storage"], ["#/audit", "Audit and settings"]];
  const pages = [];
  for (const [place, title] of views) {
    const page = await open(server.ops, place);
    await heading(page).getByText(title, { exact: true }).waitFor();
    await until(`${place} has loaded`, async () => !/Loading…/.test(await page.locator("main").innerText()));
    pages.push(page);
  }
  await server.stop("SIGKILL");
  for (const page of pages) await page.getByText("No connection to the server.").waitFor();
  const shown = await Promise.all(pages.map((page) => page.locator("main").innerText()));
  shown.forEach((text, i) => assert.ok(text.includes(views[i][1]) && text.length > views[i][1].length + 50, views[i][0]));
  await server.start();
  for (const [i, page] of pages.entries()) {
    await until(`${views[i][0]}: no more complaint`, async () =>
      (await page.getByText("No connection to the server.").count()) === 0 && (await page.getByRole("alert").count()) === 0);
    await done(page);
  }
});

test("a server that comes back with an older feed: the tail goes on at its end", async () => {
  const page = await open(server.ops, "#/events");
  await page.getByText("Waiting for the next event…").waitFor();
  const rows = page.getByRole("table", { name: "Events" }).locator("tbody tr[aria-rowindex]");
  const shows = async (ids) => (await rows.filter({ hasText: new RegExp(ids.map((id) => id.slice(-6)).join("|")) }).count()) > 0;
  let last;
  for (let n = 0; n < 60; n++) last = (await placeOrder(server)).id; // the new feed is behind this place for long
  await until("the tail follows", () => shows([last]));
  await server.stop("SIGKILL");
  rmSync(join(server.dir, "data"), { recursive: true });
  await server.start();
  await addProduct(server, "americano");
  const since = [];
  await until("the tail goes on", async () => {
    since.push((await placeOrder(server)).id);
    return shows(since);
  });
  await done(page);
});

test("a connection that is cut is said, and comes back", async () => {
  const page = await open(server.ops, "#/orders");
  await page.getByRole("heading", { name: "Orders" }).waitFor();
  await page.context().setOffline(true);
  await page.getByText("No connection to the server.").waitFor();
  await page.context().setOffline(false);
  await page.getByText("The connection is back.").waitFor();
  await done(page);
});
