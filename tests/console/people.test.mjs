// For everyone: two languages, two themes, a telephone, the keyboard alone, a screen reader.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import { close, closePages, done, go, heading, open } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { addProduct, blockedOrder, pausedOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const server = new Server("--enable-faults");
let stuck, places;
before(async () => {
  await server.start();
  await addProduct(server, "americano");
  await pausedOrder(server);
  stuck = await blockedOrder(server);
  places = ["#/", "#/orders", `#/orders/${stuck}`, "#/attention", "#/inventory", "#/inventory/americano", "#/events?after=0", "#/actors",
    "#/actors/payment%2F1", "#/cluster?shard=3", "#/storage", "#/audit", "#/audit?tab=settings", "#/faults"];
});
afterEach(closePages);
after(async () => {
  await close();
  await server.remove();
});

/** The view is there, and so is what it asked for. */
async function settled(page, place) {
  await go(page, place);
  await heading(page).waitFor();
  await until(`${place} has loaded`, async () => !/Loading…|불러오는 중…/.test(await page.locator("main").innerText()));
}

for (const colorScheme of ["light", "dark"])
  test(`axe-core finds nothing serious in any view, ${colorScheme}`, async () => {
    const page = await open(server.ops, "", { colorScheme });
    await page.evaluate(axe); // by the debugger: the page's policy is not asked
    for (const place of places) {
      await settled(page, place);
      const found = await page.evaluate(async (rules) => (await globalThis.axe.run(document, rules)).violations
        .filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`), colorScheme === "light" ? {} : { runOnly: ["color-contrast"] });
      assert.deepEqual(found, [], place);
    }
    await done(page);
  });

test("at 390 px no view is wider than the screen", async () => {
  const page = await open(server.ops, "", { viewport: { width: 390, height: 844 } });
  for (const place of places) {
    await settled(page, place);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `${place} is ${width} px wide`);
  }
  await done(page);
});

test("Korean: by the browser's language, by the switch, and it stays", async () => {
  const page = await open(server.ops, "", { locale: "ko-KR" });
  await heading(page).getByText("개요").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
  for (const place of places) {
    await settled(page, place);
    assert.match(await page.locator("main").innerText(), /[가-힣]/, place);
  }
  await go(page, `#/orders/${stuck}`);
  const why = page.locator(".why");
  await until("why it stands there, in Korean", async () => /돈을 돌려주고 있습니다.*결제 대행사에 다시 묻습니다.*위험 금액은 ₩4,500입니다/.test(await why.innerText()));
  assert.doesNotMatch(await why.innerText(), /The money|asked again/);
  await page.getByRole("button", { name: "English" }).click();
  await until("and in English, at once", async () => /The money is being given back/.test(await why.innerText()));
  await page.getByRole("button", { name: "한국어" }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "Overview" }).waitFor();
  await done(page);
});

test("dark: as the system says, or as chosen, and it stays", async () => {
  const page = await open(server.ops, "", { colorScheme: "dark" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole("button", { name: "Colours: As the system" }).click();
  await page.getByRole("button", { name: "Colours: Light" }).waitFor();
  assert.notEqual(await background(), dark);
  await page.reload();
  await page.getByRole("button", { name: "Colours: Light" }).click();
  await page.getByRole("button", { name: "Colours: Dark" }).waitFor();
  assert.equal(await background(), dark);
  await done(page);
});

test("the keyboard alone: to a blocked order, into its dialog, and back", async () => {
  const page = await open(server.ops);
  await heading(page).getByText("Overview").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await heading(page).getByText("Orders").waitFor();
  await page.getByRole("link", { name: stuck.slice(-6) }).waitFor();
  const focused = (what) => until(`${what} has the focus`, async () => {
    await page.keyboard.press("Tab");
    return page.evaluate((text) => document.activeElement?.matches("a, button") && document.activeElement.textContent.includes(text), what);
  });
  await page.evaluate(() => { document.querySelector("main").focus(); });
  await focused("Blocked");
  await page.keyboard.press("Enter");
  await until("the blocked ones alone", async () => (await page.locator("tbody tr[aria-rowindex]").count()) === 1);
  await focused(stuck.slice(-6));
  await page.keyboard.press("Enter");
  await heading(page).getByText(stuck).waitFor();
  await focused("Pause");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.type("by keyboard");
  assert.equal(await dialog.getByRole("textbox", { name: "Reason" }).inputValue(), "by keyboard");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await until("the focus is back where it was", () => page.evaluate(() => document.activeElement?.textContent === "Pause"));
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "find");
  await page.keyboard.press("Escape");
  await page.evaluate(() => { document.activeElement.blur(); });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await done(page);
});

test("the keyboard alone: each view by its letters, and its title has the focus", async () => {
  const page = await open(server.ops);
  await heading(page).getByText("Overview").waitFor();
  for (const [letter, title] of [["o", "Orders"], ["t", "Attention"], ["i", "Inventory"], ["e", "Events"], ["a", "Actors"], ["c", "Shards and nodes"],
    ["s", "Storage"], ["u", "Audit and settings"], ["f", "Fault lab"], ["h", "Overview"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await heading(page).getByText(title, { exact: true }).waitFor();
    await until(`${title} has the focus`, () => page.evaluate((text) => document.activeElement?.tagName === "H1" && document.activeElement.textContent === text, title));
  }
  await done(page);
});

test("the keyboard alone: the tree is opened, a batch is tried dry, a shard is chosen", async () => {
  const page = await open(server.ops, "#/actors");
  const onto = (what, how = "button, a, input, select, textarea, summary") => until(`${what} has the focus`, async () => {
    await page.keyboard.press("Tab");
    return page.evaluate(([text, all]) => document.activeElement?.matches(all)
      && (document.activeElement.textContent + (document.activeElement.getAttribute("aria-label") ?? "")).includes(text), [what, how]);
  });
  await page.getByRole("button", { name: "Children of supervisor/0", exact: true }).waitFor();
  await onto("Children of supervisor/0");
  await page.keyboard.press("Space");
  await page.getByRole("link", { name: "inventory/0", exact: true }).waitFor();
  await go(page, "#/attention");
  await page.getByRole("button", { name: "Retry now…" }).first().waitFor();
  await onto("Retry now…");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.type("by keyboard");
  await onto("Dry run");
  await page.keyboard.press("Enter");
  await dialog.getByText("would act").first().waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await go(page, "#/cluster");
  await page.locator(".shardmap button").nth(255).waitFor();
  await onto("shard 0,");
  await page.keyboard.press("ArrowRight");
  await page.getByRole("heading", { name: "shard 1", exact: true }).waitFor();
  await done(page);
});

test("the arrow keys go through a list", async () => {
  const page = await open(server.ops, "#/events?after=0");
  const links = page.getByRole("table", { name: "Events" }).locator("tbody a");
  await links.first().focus();
  await page.keyboard.press("ArrowDown");
  assert.ok(await links.nth(1).evaluate((el) => el === document.activeElement));
  await page.keyboard.press("k");
  assert.ok(await links.first().evaluate((el) => el === document.activeElement));
  await done(page);
});
