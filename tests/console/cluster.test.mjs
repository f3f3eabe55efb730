import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { Cluster, etcdPath } from "./support/cluster.mjs";
import { addProduct, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const skip = etcdPath ? false : "there is no etcd; scripts/setup.sh brings it";
const cluster = new Cluster();
let a, b;
before(async () => {
  if (skip) return;
  await cluster.start("a", "b");
  [a, b] = cluster.nodes;
  await addProduct(a, "americano");
});
afterEach(closePages);
after(async () => {
  await close();
  if (!skip) await cluster.remove();
});
const shards = async () => (await a.ask("GET", "/admin/v1/shards")).data;

test("the map has a colour for each node; a shard is moved; from an order to its node and back", { skip }, async () => {
  const page = await open(a.ops, "#/cluster");
  await page.locator(".shardmap button").nth(255).waitFor();
  const mine = (await shards()).find((s) => s.owner === "a").shard;
  await page.locator(`[data-shard="${mine}"]`).click();
  await page.getByRole("button", { name: "Move to b" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Move to b" }).click();
  await until("it belongs to b", async () => (await shards())[mine].owner === "b");
  await page.locator(".facts").getByRole("link", { name: "b", exact: true }).first().waitFor();
  await page.getByRole("table", { name: "Who sees whom" }).getByText("up").first().waitFor();

  const { id } = await placeOrder(a);
  await go(page, `#/orders/${id}`);
  await heading(page).getByText(id).waitFor();
  await page.locator(".facts").getByRole("link", { name: /^shard \d+$/ }).click();
  await page.getByRole("link", { name: "Its actors" }).click();
  await page.getByRole("table", { name: "Actors" }).getByRole("link", { name: /^supervisor/ }).click();
  await page.getByRole("heading", { name: "Live state" }).waitFor(); // of whichever node it is on
  await done(page);
});

test("a recording follows its order to the nodes of its stock, and so does the timeline", { skip }, async () => {
  const owners = await shards();
  // A product whose shelf is on the other node than the order: `find` knows whose each shard is.
  const far = await until("an order and its stock on two nodes", async () => {
    const { id } = await placeOrder(a, "tok_slow_2000", { wait: 0 });
    const { data: [shelf] } = await a.ask("GET", "/admin/v1/find?q=americano");
    const { owner } = await a.ask("GET", `/admin/v1/sagas/${id}`);
    return owners[shelf.shard].owner !== owner.node && { id, shelf: `inventory/${shelf.shard}`, node: owners[shelf.shard].owner };
  });
  const page = await open(a.ops, `#/orders/${far.id}`);
  await page.getByRole("button", { name: "Record messages, 60 s" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await a.ask("POST", `/admin/v1/sagas/${far.id}/actions`, { action: "cancel", reason: "to see messages" });
  await page.locator(".timeline li.message", { hasText: "release_stock" }).first().waitFor();
  await page.locator(".timeline li.commit", { hasText: "reservation row" }).first().waitFor();
  await page.locator(".lanenames li", { hasText: far.shelf }).getByText(far.node).waitFor();
  const { recording, missing_nodes: missing } = await b.ask("GET", `/admin/v1/orders/${far.id}/timeline`);
  assert.equal(recording.state, "recording");
  assert.deepEqual(missing, []);
  const { messages } = await b.ask("GET", `/admin/v1/orders/${far.id}/recording`);
  const there = messages.find((m) => m.message === "release_stock" && m.to === far.shelf);
  assert.equal(there.from, `saga/${far.id}`);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Record messages, 60 s" }).waitFor();
  await done(page);
});

test("a node that is away: said on every view, and gone when it is back", { skip }, async () => {
  const page = await open(a.ops, "#/cluster");
  await page.getByRole("table", { name: "Nodes" }).getByRole("row", { name: /^b up/ }).waitFor();
  await b.stop("SIGKILL");
  await page.getByRole("table", { name: "Nodes" }).getByRole("row", { name: /^b away/ }).waitFor();
  await until("its shards are not served", async () => (await page.locator(".shardmap .trouble").count()) > 100);
  await go(page, "#/");
  await page.getByText(/These nodes did not answer.*b/).waitFor();
  await go(page, "#/orders");
  await page.getByText(/Not all of it: \d+ shards did not answer/).waitFor();
  await b.start();
  await go(page, "#/cluster");
  await page.getByRole("table", { name: "Nodes" }).getByRole("row", { name: /^b up/ }).waitFor();
  await until("all are served again", async () => (await page.locator(".shardmap .trouble").count()) === 0);
  await done(page);
});

test("a node is drained: all its shards go to the other", { skip }, async () => {
  const page = await open(a.ops, "#/cluster");
  await page.getByRole("row", { name: /^b up/ }).getByRole("button", { name: "Drain…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
  await until("a owns them all", async () => (await shards()).every((s) => s.owner === "a"));
  await until("the page shows it", async () => /256/.test(await page.getByRole("table", { name: "Nodes" }).getByRole("row", { name: /^a/ }).innerText()));
  assert.equal(await page.locator(".shardmap .trouble").count(), 0);
  await done(page);
});
