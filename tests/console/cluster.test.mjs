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
  await until("a owns them all", async () => (await shards()).every((s) => s.owner === "a"), 120_000);
  await until("the page shows it", async () => /256/.test(await page.getByRole("table", { name: "Nodes" }).getByRole("row", { name: /^a/ }).innerText()));
  assert.equal(await page.locator(".shardmap .trouble").count(), 0);
  await done(page);
});
