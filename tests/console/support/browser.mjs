// Debian's Chromium, and pages that tell their errors.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { patienceMs } from "./until.mjs";

export const chromiumPath = process.env.JUMUN_CHROMIUM ?? "/usr/bin/chromium";

let browser;
export async function launch() {
  browser ??= await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  return browser;
}
/** Closes what a test that failed has left open. */
export async function closePages() {
  for (const context of browser?.contexts() ?? []) await context.close();
}
export async function close() {
  await browser?.close();
  browser = undefined;
}

/** A page of its own context, at `base`/console/. `errors` gathers what must not be there. */
export async function open(base, place = "", options = {}) {
  const context = await (await launch()).newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", colorScheme: "light", ...options });
  context.setDefaultTimeout(patienceMs);
  context.setDefaultNavigationTimeout(2 * patienceMs); // the first page waits for the browser itself
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (why) => page.errors.push(why.message));
  page.on("console", (said) => {
    // Answers that are no success are the views' to show; the policy's refusals are ours to fix.
    if (said.type() === "error" && !/Failed to load resource|net::ERR/.test(said.text())) page.errors.push(said.text());
  });
  await page.goto(`${base}/console/${place}`);
  return page;
}
/** Closes the page; fails for what went wrong in it unseen. */
export async function done(page) {
  const errors = page.errors;
  await page.context().close();
  assert.deepEqual(errors, []);
}
/** Goes to another view without loading the page anew. */
export const go = (page, place) => page.evaluate((hash) => { location.hash = hash; }, place);
export const heading = (page) => page.getByRole("heading", { level: 1 });
