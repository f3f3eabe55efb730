import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { addProduct, blockedOrder, pausedOrder, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const server = new Server("--enable-faults");
let kept, waiting, stuck;
before(async () => {
  await server.start();
  await addProduct(server, "americano");
  kept = (await placeOrder(server)).id;
  await placeOrder(server, "tok_decline");
  waiting = await pausedOrder(server);
  stuck = await blockedOrder(server);
});
afterEach(closePages);
after(async () => {
  await close();
  await server.remove();
});

test("overview: figures, plots, what is blocked and the money at risk", async () => {
  const page = await open(server.ops);
  await page.getByText("In flight, by state").waitFor();
  await until("one blocked", async () => (await page.locator(".tile", { hasText: "Blocked" }).innerText()).includes("at risk: ₩4,500"));
  assert.equal(await page.locator(".plot canvas").count(), 4);
  // Live: an order more is one more in the funnel, without a reload.
  const accepted = () => page.locator(".bars-list .item", { hasText: "accepted" }).innerText();
  const first = await until("the funnel counts", async () => /[1-9]/.test(await accepted()) && accepted());
  await placeOrder(server);
  await until("the order is counted", async () => (await accepted()) !== first);
  await done(page);
});

test("orders: presets, filters in the URL, and a row opens its order", async () => {
  const page = await open(server.ops, "#/orders?preset=blocked");
  const row = page.getByRole("link", { name: stuck.slice(-6) });
  await row.waitFor();
  assert.equal(await page.locator("tbody tr[aria-rowindex]").count(), 1);
  await page.getByRole("searchbox", { name: "Customer" }).fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByText("No order is like that now.").waitFor();
  assert.match(page.url(), /customer=nobody/);
  await page.getByRole("button", { name: "Clear" }).click();
  await row.click();
  await heading(page).getByText(stuck).waitFor();
  await done(page);
});

test("orders: done orders are there, too", async () => {
  const page = await open(server.ops, "#/orders?preset=done");
  await page.getByRole("link", { name: kept.slice(-6) }).waitFor();
  await done(page);
});

test("an order: why it stands, its timeline with payloads, the lit phase, its actor", async () => {
  const page = await open(server.ops, `#/orders/${stuck}`);
  await page.getByText(/gives? back|given back|refund/i).first().waitFor();
  await page.locator(".phases .now", { hasText: "refunding" }).waitFor();
  await page.getByRole("timer").first().waitFor();
  const event = page.locator(".timeline li", { hasText: "OrderPlaced" }).first();
  await event.getByRole("button").click();
  await event.locator(".json", { hasText: '"partitionkey"' }).waitFor();
  for (const type of ["StockDecreased", "PaymentApproved", "DeliveryStarted", "OrderCanceled", "SagaBlocked"])
    assert.ok(await page.locator(".timeline li", { hasText: type }).count(), type);
  await page.getByRole("button", { name: "Copy as curl" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`^curl -s '${server.ops}/admin/v1/sagas/${stuck}'`));
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "JSON" }).click()]);
  assert.equal(download.suggestedFilename(), `${stuck}.json`);
  await done(page);
});

test("any id leads to its order: pasted whole, as a payment's, as a trace id", async () => {
  const page = await open(server.ops);
  const find = page.getByRole("searchbox", { name: "Find an id" });
  const events = await server.ask("GET", `/v1/orders/${kept}/events`);
  const traceId = events.data[0].traceparent.split("-")[1];
  for (const text of [kept, `see ${kept.replace("ord_", "pay_")}, please`, traceId]) {
    await go(page, "#/");
    await heading(page).getByText("Overview").waitFor();
    await find.fill(text);
    await find.press("Enter");
    await heading(page).getByText(kept).waitFor();
  }
  await find.fill("nothing-has-this-id");
  await find.press("Enter");
  await page.getByText("Nothing has this id.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await done(page);
});

test("actors: the tree opens down to an actor, whose live state is shown", async () => {
  const page = await open(server.ops, "#/actors");
  await page.getByRole("row", { name: /supervisor/ }).first().waitFor();
  await page.getByRole("button", { name: "Children of supervisor/0", exact: true }).click();
  await page.getByRole("link", { name: "inventory/0", exact: true }).click();
  await heading(page).getByText("inventory/0").waitFor();
  await page.getByRole("region", { name: "Live state" }).waitFor();
  await go(page, "#/actors?by=messages_handled");
  await page.getByRole("table", { name: "Actors" }).locator("tbody tr").first().waitFor();
  await go(page, `#/actors/${encodeURIComponent(`saga/${waiting}`)}`);
  await page.locator(".facts").getByRole("link", { name: waiting.slice(-6) }).click();
  await heading(page).getByText(waiting).waitFor();
  await done(page);
});

test("inventory: what is reserved and for which orders, movements, and the books agree", async () => {
  const page = await open(server.ops, "#/inventory");
  await page.getByRole("link", { name: "americano" }).click();
  await page.getByRole("table", { name: "Live reservations" }).getByRole("link", { name: waiting.slice(-6) }).waitFor();
  await page.getByRole("table", { name: "Movements" }).getByText("opening stock").waitFor();
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("They agree.").waitFor();
  await done(page);
});

test("events: the tail, pause, a key, and from an offset", async () => {
  const page = await open(server.ops, "#/events");
  await page.getByText("Waiting for the next event…").waitFor();
  const rows = page.getByRole("table", { name: "Events" }).locator("tbody tr[aria-rowindex]");
  await placeOrder(server);
  await until("its events", async () => (await rows.count()) >= 4);
  await page.getByRole("button", { name: "Pause" }).click();
  const before = await rows.count();
  await placeOrder(server);
  assert.equal(await rows.count(), before);
  await page.getByRole("button", { name: "Go on" }).click();
  await go(page, `#/events?after=0&key=${kept}`);
  await page.getByText("From offset 0").waitFor();
  await until("only its own", async () => (await rows.count()) === 4);
  await rows.first().locator("td").nth(1).click();
  await page.getByRole("dialog").getByText('"specversion"').waitFor();
  await page.keyboard.press("Escape");
  await go(page, "#/events?after=0&topic=payments");
  await until("payments alone", async () => (await rows.count()) > 0 && (await rows.filter({ hasText: "OrderPlaced" }).count()) === 0);
  await done(page);
});

test("attention: the stuck refund is there with its error", async () => {
  const page = await open(server.ops, "#/attention");
  await page.getByRole("link", { name: stuck.slice(-6) }).waitFor();
  await page.getByText("at risk: ₩4,500").waitFor();
  await done(page);
});

test("shards: 256 squares, the arrow keys walk over them, one says whose it is", async () => {
  const page = await open(server.ops, "#/cluster");
  await page.locator(".shardmap button").nth(255).waitFor();
  await page.locator('[data-shard="7"]').click();
  await page.getByRole("heading", { name: "shard 7" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: "shard 23" }).waitFor();
  await page.getByText("There is no other node to move it to.").waitFor();
  assert.match(page.url(), /shard=23/);
  await done(page);
});

test("storage: commits, column families", async () => {
  const page = await open(server.ops, "#/storage");
  await page.getByRole("table", { name: "Column families" }).getByRole("cell", { name: "orders", exact: true }).waitFor();
  await page.locator(".tile", { hasText: "Commits" }).getByText(/in all/).waitFor();
  await done(page);
});

test("audit and settings: what is in force, and where it comes from", async () => {
  const page = await open(server.ops, "#/audit");
  await page.getByRole("cell", { name: "saga.retry_now" }).first().waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("row", { name: /^data-dir .* flag/ }).waitFor();
  await page.getByRole("checkbox").check();
  await page.getByRole("row", { name: /^enable-faults true flag/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /^memory-mb/ }).count(), 0, "only what differs");
  await done(page);
});

test("what is not there is said, not shown as empty", async () => {
  const page = await open(server.ops, "#/orders/ord_00000000000000000000000001");
  await page.getByRole("alert").getByText("not-found").waitFor();
  await go(page, "#/nowhere");
  await page.getByText("There is no such view.").waitFor();
  await done(page);
});
