import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { addProduct, blockedOrder, pausedOrder, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const server = new Server("--enable-faults");
before(async () => {
  await server.start();
  await addProduct(server, "americano");
});
afterEach(closePages);
after(async () => {
  await close();
  await server.remove();
});

const saga = (id) => server.ask("GET", `/admin/v1/sagas/${id}`);
const audited = (target, action) => until(`${action} of ${target} in the audit log`, async () =>
  (await server.ask("GET", `/admin/v1/audit?target=${encodeURIComponent(target)}`)).data.find((e) => e.action === action));

/** The dialog that asks for a reason: it can't be sent without one. */
async function confirm(page, verb, reason) {
  const dialog = page.getByRole("dialog");
  const send = dialog.getByRole("button", { name: verb });
  if (reason) {
    assert.ok(await send.isDisabled(), "no reason, no action");
    await dialog.getByRole("textbox", { name: "Reason" }).fill(reason);
  }
  await send.click();
  await dialog.waitFor({ state: "hidden" });
}

test("pause, resume, retry, resolve, cancel: each with its reason, each in the audit log", async () => {
  const stuck = await blockedOrder(server);
  const page = await open(server.ops, `#/orders/${stuck}`);
  const actions = page.getByRole("group", { name: "Actions" });
  await actions.getByRole("button", { name: "Pause" }).click();
  await confirm(page, "Pause", "the bank is away");
  await until("it is paused", async () => (await saga(stuck)).saga === "paused");
  assert.equal((await audited(stuck, "saga.pause")).reason, "the bank is away");
  await actions.getByRole("button", { name: "Resume" }).click();
  await confirm(page, "Resume", "it is back");
  await until("it goes on", async () => (await saga(stuck)).saga !== "paused");
  await until("it may be retried", async () => (await saga(stuck)).allowed_actions.includes("retry_now"));
  await actions.getByRole("button", { name: "Retry now" }).click();
  await confirm(page, "Retry now", "look again");
  await audited(stuck, "saga.retry_now");
  await until("it may be resolved", async () => (await saga(stuck)).allowed_actions.includes("resolve"));
  await actions.getByRole("button", { name: "Resolve" }).click();
  await confirm(page, "Resolve", "paid back by hand");
  await until("it has ended", async () => (await saga(stuck)).saga === "done");
  await page.locator(".phases .now", { hasText: "cancelled" }).waitFor();

  const kept = (await placeOrder(server)).id;
  await go(page, `#/orders/${kept}`);
  await heading(page).getByText(kept).waitFor();
  await actions.getByRole("button", { name: "Cancel order" }).click();
  await confirm(page, "Cancel order", "the customer called");
  await until("it is cancelled", async () => (await saga(kept)).status === "cancelled");
  await done(page);
});

test("an action that is refused says why, and the dialog stays", async () => {
  const { id } = await placeOrder(server);
  const page = await open(server.ops, `#/orders/${id}`);
  await page.getByRole("button", { name: "Cancel order" }).click();
  await server.ask("POST", `/admin/v1/sagas/${id}/actions`, { action: "cancel", reason: "somebody was faster" });
  await until("it is over", async () => (await saga(id)).status === "cancelled");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("too late");
  await dialog.getByRole("button", { name: "Cancel order" }).click();
  await until("a refusal, or nothing left to do", async () => (await dialog.isHidden()) || (await dialog.getByRole("alert").count()) > 0);
  await done(page);
});

test("attention: a dry run says what would happen to each, then it is done for all", async () => {
  const stuck = [await blockedOrder(server), await blockedOrder(server)];
  const page = await open(server.ops, "#/attention");
  await page.getByRole("button", { name: "Resolve…" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("all paid back by hand");
  await dialog.getByRole("button", { name: "Dry run" }).click();
  for (const id of stuck) await dialog.getByRole("row", { name: new RegExp(`${id.slice(-6)} would act`) }).waitFor();
  assert.equal((await saga(stuck[0])).saga, "blocked", "a dry run changes nothing");
  await dialog.getByRole("button", { name: "Resolve: do it for 2" }).click();
  await dialog.getByRole("row", { name: new RegExp(`${stuck[0].slice(-6)} done`) }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  for (const id of stuck) await until("it has ended", async () => (await saga(id)).saga === "done");
  await page.getByText("No order needs a person.").waitFor();
  await done(page);
});

test("a hot SKU: found by what is reserved, led to the orders that hold it, and free again once one is cancelled", async () => {
  await addProduct(server, "mug-blue", 500);
  const holding = [];
  for (let i = 0; i < 3; i++) holding.push(await pausedOrder(server, { sku: "mug-blue", quantity: 160 }));
  const page = await open(server.ops, "#/inventory");
  await page.getByRole("button", { name: "Most reserved" }).click();
  const first = page.getByRole("table", { name: "Inventory" }).locator("tbody tr[aria-rowindex]").first();
  await until("it is the first", async () => /^mug-blue/.test(await first.innerText()));
  await first.getByRole("link").click();
  const tile = (name) => page.locator(".tile", { hasText: name });
  await until("nearly all of it is promised", async () => /\b20\b/.test(await tile("Available").innerText()));
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("They agree.").waitFor();
  await page.getByRole("table", { name: "Live reservations" }).getByRole("link", { name: holding[0].slice(-6) }).click();
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Cancel order" }).click();
  await confirm(page, "Cancel order", "it holds what others want");
  await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Resume" }).click();
  await confirm(page, "Resume", "to undo it");
  await go(page, "#/inventory/mug-blue");
  await until("it is free again", async () => /\b180\b/.test(await tile("Available").innerText()));
  for (const id of holding.slice(1)) await server.ask("POST", `/admin/v1/sagas/${id}/actions`, { action: "cancel", reason: "test" });
  await done(page);
});

test("messages are recorded for an order and for an actor, until stopped", async () => {
  const { id } = await placeOrder(server);
  const page = await open(server.ops, `#/orders/${id}`);
  await page.getByRole("button", { name: "Record messages, 60 s" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await server.ask("POST", `/admin/v1/sagas/${id}/actions`, { action: "cancel", reason: "to see messages" });
  await page.locator(".timeline li.message").first().waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Record messages, 60 s" }).waitFor();

  const actor = encodeURIComponent(`payment/${(await saga(id)).owner.shard}`);
  await go(page, `#/actors/${actor}`);
  await heading(page).getByText("payment/").waitFor();
  await page.getByRole("button", { name: "Record messages, 60 s" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await until("it has ended", async () => (await server.ask("GET", `/admin/v1/actors/${actor}/recording`)).state === "ended");
  await page.getByRole("button", { name: "Record messages, 60 s" }).waitFor();
  await done(page);
});

test("an actor is restarted with a reason", async () => {
  const name = "inventory/3";
  const before = (await server.ask("GET", `/admin/v1/actors/${encodeURIComponent(name)}`)).restarts;
  const page = await open(server.ops, `#/actors/${encodeURIComponent(name)}`);
  await page.getByRole("button", { name: "Restart" }).click();
  await confirm(page, "Restart", "to see it come back");
  await until("it was restarted", async () => (await server.ask("GET", `/admin/v1/actors/${encodeURIComponent(name)}`)).restarts > before);
  assert.equal((await audited(name, "actor.restart")).reason, "to see it come back");
  await done(page);
});

test("stock is added, and a change that is not allowed is refused with its reason", async () => {
  const page = await open(server.ops, "#/inventory/americano");
  const before = (await server.ask("GET", "/v1/inventory/americano")).on_hand;
  await page.getByRole("button", { name: "Add stock" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("spinbutton", { name: "Change" }).fill("-9999999");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("goods in");
  await dialog.getByRole("button", { name: "Add stock" }).click();
  await dialog.getByRole("alert").getByText("insufficient-stock").waitFor();
  await dialog.getByRole("spinbutton", { name: "Change" }).fill("25");
  await dialog.getByRole("button", { name: "Add stock" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal((await server.ask("GET", "/v1/inventory/americano")).on_hand, before + 25);
  await page.getByRole("table", { name: "Movements" }).getByText("goods in").waitFor();
  await done(page);
});

test("a backup is made, and the log level is set", async () => {
  const page = await open(server.ops, "#/storage");
  await page.getByRole("button", { name: "Make a backup" }).click();
  await confirm(page, "Make a backup");
  await page.getByRole("table", { name: "Backups" }).getByText("done").waitFor();
  await go(page, "#/audit?tab=settings");
  await page.getByRole("combobox", { name: "Log level" }).selectOption("debug");
  await until("it is set", async () => (await server.ask("GET", "/admin/v1/log-level")).level === "debug");
  await done(page);
});

test("fault lab: a fault is set and taken away, load shows what it does, an actor is killed", async () => {
  const page = await open(server.ops, "#/faults");
  const provider = page.locator(".card", { has: page.getByRole("heading", { name: "payment-provider" }) });
  await provider.getByRole("combobox", { name: "Mode" }).selectOption("decline");
  await provider.getByRole("button", { name: "Break it" }).click();
  await until("the fault is set", async () => (await server.ask("GET", "/admin/v1/faults")).data.some((f) => f.mode === "decline"));
  await page.getByRole("combobox", { name: "Orders a second" }).selectOption("20");
  await page.getByRole("button", { name: "Start" }).click();
  await until("answers, rejected ones among them", async () => /[1-9]\d* rejected/.test(await page.getByText(/rejected orders among them/).innerText()));
  assert.equal(await page.locator(".availability").innerText(), "100 %");
  await page.getByRole("button", { name: "Stop" }).click();
  await provider.getByRole("button", { name: "Let it be well" }).click();
  await until("the fault is gone", async () => (await server.ask("GET", "/admin/v1/faults")).data.length === 0);
  await page.getByRole("combobox", { name: "Kind" }).selectOption("inventory");
  await page.getByRole("button", { name: "Kill one…" }).click();
  await confirm(page, "Restart", "a drill");
  await page.getByText("It is being restarted.").waitFor();
  await done(page);
});
