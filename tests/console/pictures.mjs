// Takes the pictures of docs/console/: node --preserve-symlinks --preserve-symlinks-main pictures.mjs FOLDER
import { join } from "node:path";
import { close, heading, open } from "./support/browser.mjs";
import { Cluster, etcdPath } from "./support/cluster.mjs";
import { Server } from "./support/server.mjs";
import { addProduct, blockedOrder, cancelOrder, pausedOrder, placeOrder } from "./support/shop.mjs";
import { until } from "./support/until.mjs";

const folder = process.argv[2];
const small = { viewport: { width: 1200, height: 760 } };
async function take(base, place, name, ready, options = small) {
  const page = await open(base, place, options);
  await heading(page).waitFor();
  await ready(page);
  await page.waitForTimeout(1_500); // plots have drawn, the focus ring is gone
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.context().close();
  console.log(name);
}

const server = await new Server("--enable-faults").start();
try {
  for (const sku of ["americano", "latte", "mug-blue", "beans-1kg"]) await addProduct(server, sku, 500);
  const lively = async (n) => {
    for (let i = 0; i < n; i++) await placeOrder(server, ["tok_approve", "tok_approve", "tok_decline", "tok_flaky_1"][i % 4], { sku: ["americano", "latte"][i % 2], wait: 1 });
  };
  const stuck = [];
  for (let i = 0; i < 4; i++) stuck.push(await blockedOrder(server));
  for (let i = 0; i < 3; i++) await pausedOrder(server, { sku: "mug-blue", quantity: 160 });
  await cancelOrder(server, (await placeOrder(server)).id);
  const load = lively(80);
  await until("a minute of figures", async () => (await server.ask("GET", "/v1/orders?limit=100")).data.length >= 40, 300_000);
  await take(server.ops, "#/", "overview", (page) => page.locator(".plot canvas").nth(3).waitFor(), { viewport: { width: 1440, height: 900 } });
  await take(server.ops, "#/attention", "attention", (page) => page.getByRole("button", { name: "Resolve…" }).first().waitFor());
  await take(server.ops, `#/orders/${stuck[0]}`, "order", (page) => page.locator(".timeline li").first().waitFor(), { viewport: { width: 1200, height: 980 }, colorScheme: "dark" });
  await take(server.ops, "#/attention", "dry-run", async (page) => {
    await page.getByRole("button", { name: "Retry now…" }).first().click();
    await page.getByRole("textbox", { name: "Reason" }).fill("the bank is back");
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("dialog").getByText("would act").first().waitFor();
  });
  await take(server.ops, "#/inventory/mug-blue", "sku", (page) => page.getByRole("table", { name: "Live reservations" }).getByRole("link").first().waitFor());
  await load;
} finally {
  await server.remove();
}
if (etcdPath) {
  const cluster = await new Cluster().start("a", "b", "c");
  try {
    await cluster.nodes[1].stop("SIGKILL");
    await take(cluster.nodes[0].ops, "#/cluster", "cluster", (page) => page.getByRole("row", { name: /^b away/ }).waitFor(), { viewport: { width: 1200, height: 900 } });
  } finally {
    await cluster.remove();
  }
}
await close();
