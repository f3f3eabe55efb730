import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { addKey, Server } from "./support/server.mjs";
import { addProduct, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const devMode = new Server();
const guarded = new Server();
const keys = {};
let order;
before(async () => {
  await devMode.start();
  const file = join(guarded.dir, "keys");
  for (const role of ["admin", "operator", "inventory", "viewer", "customer", "courier"]) keys[role] = addKey(file, role === "customer" ? "c-42" : `test-${role}`, role);
  guarded.key = keys.admin;
  await guarded.start("--keys", file);
  await addProduct(guarded, "americano");
  order = (await placeOrder(guarded)).id;
});
afterEach(closePages);
after(async () => {
  await close();
  await devMode.remove();
  await guarded.remove();
});

async function enter(page, key) {
  await page.getByLabel("API key or token").fill(key);
  await page.getByRole("button", { name: "Open the console" }).click();
}

test("without keys the page says that it is in dev mode", async () => {
  const page = await open(devMode.ops);
  await page.getByText("Dev mode:").waitFor();
  await done(page);
});

test("without faults enabled there is no fault lab", async () => {
  const page = await open(devMode.ops, "#/faults");
  await page.getByText("There is no such view.").waitFor();
  assert.equal(await page.getByRole("link", { name: "Fault lab" }).count(), 0);
  await done(page);
});

test("the key is asked for, a wrong one refused, the right one kept in the tab alone", async () => {
  const page = await open(guarded.ops, `#/orders/${order}`);
  await page.getByRole("heading", { name: "This server asks for a key" }).waitFor();
  await enter(page, "wrong");
  await page.getByRole("alert").getByText("does not know this key").waitFor();
  await enter(page, keys.admin);
  await heading(page).getByText(order).waitFor(); // where the link led
  assert.equal(await page.getByText("Dev mode:").count(), 0);
  assert.ok(!page.url().includes(keys.admin));
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage)).then((s) => s.includes("jmn") || s.includes("key")), false);
  await page.reload();
  await heading(page).getByText(order).waitFor();
  await page.getByRole("button", { name: "Copy as curl" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.includes("$JUMUN_KEY") && !copied.includes(keys.admin));
  await page.getByRole("button", { name: "Forget the key" }).click();
  await page.getByRole("heading", { name: "This server asks for a key" }).waitFor();
  await done(page);
});

test("a viewer sees everything, and no button that would fail", async () => {
  const page = await open(guarded.ops);
  await enter(page, keys.viewer);
  await heading(page).getByText("Overview").waitFor();
  for (const [place, ready, never] of [
    [`#/orders/${order}`, "Timeline", ["Cancel order", "Pause", /^Record messages/]],
    ["#/inventory/americano", "Movements", ["Add stock"]],
    ["#/actors/payment%2F1", "Live state", ["Restart", /^Record messages/]],
    ["#/cluster?shard=1", "Moves in progress", [/^Move to/, /^Drain/]],
    ["#/storage", "Backups", ["Make a backup"]],
  ]) {
    await go(page, place);
    await page.getByRole("heading", { name: ready }).waitFor();
    for (const name of never) assert.equal(await page.getByRole("button", { name }).count(), 0, `${place}: ${name}`);
  }
  await done(page);
});

test("an operator acts on orders and actors, and sees nothing of what only an admin may", async () => {
  const page = await open(guarded.ops);
  await enter(page, keys.operator);
  await heading(page).getByText("Overview").waitFor();
  await go(page, `#/orders/${order}`);
  await page.getByRole("heading", { name: "Timeline" }).waitFor();
  await page.getByRole("button", { name: "Cancel order" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("the customer called");
  await dialog.getByRole("button", { name: "Cancel order" }).click();
  await until("it is cancelled", async () => (await guarded.ask("GET", `/admin/v1/sagas/${order}`)).status === "cancelled");
  for (const [place, ready, sees, never] of [
    ["#/actors/payment%2F1", "Live state", ["Restart", /^Record messages/], []],
    ["#/inventory/americano", "Movements", [], ["Add stock"]],
    ["#/cluster?shard=1", "Moves in progress", [], [/^Move to/, /^Drain/]],
    ["#/storage", "Backups", [], ["Make a backup"]],
    ["#/audit?tab=settings", "In force on node", [], []],
  ]) {
    await go(page, place);
    await page.getByRole("heading", { name: ready }).waitFor();
    for (const name of sees) await page.getByRole("button", { name }).waitFor();
    for (const name of never) assert.equal(await page.getByRole("button", { name }).count(), 0, `${place}: ${name}`);
  }
  assert.equal(await page.getByRole("combobox", { name: "Log level" }).count(), 0);
  await go(page, "#/audit?action=saga.cancel");
  await page.getByRole("row", { name: /test-operator.*the customer called/ }).waitFor();
  await done(page);
});

test("who may look at stock alone has that view alone, and may add to it", async () => {
  const page = await open(guarded.ops);
  await enter(page, keys.inventory);
  await heading(page).getByText("Inventory").waitFor();
  assert.deepEqual(await page.getByRole("navigation", { name: "Views" }).getByRole("link").allInnerTexts(), ["Inventory"]);
  await page.getByRole("link", { name: "americano" }).click();
  await page.getByRole("button", { name: "Add stock" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("spinbutton", { name: "Change" }).fill("5");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("goods in");
  await dialog.getByRole("button", { name: "Add stock" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("They agree.").waitFor();
  assert.equal(await page.getByText("no permission").count(), 0);
  await go(page, "#/orders");
  await page.getByText("There is no such view.").waitFor();
  await done(page);
});

for (const role of ["customer", "courier"])
  test(`a ${role} can't open it at all`, async () => {
    const page = await open(guarded.ops);
    await enter(page, keys[role]);
    await page.getByText("This key may not open the console.").waitFor();
    assert.equal(await page.getByRole("navigation").count(), 0);
    await done(page);
  });
