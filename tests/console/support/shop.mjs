// A shop to look at, made over its API.
import { until } from "./until.mjs";

let number = 0;
const fresh = () => `console-test-${process.pid}-${++number}`;

export async function addProduct(server, sku, stock = 1000) {
  await server.ask("PUT", `/v1/products/${sku}`, { name: sku, unit_price: { amount: 4500, currency: "KRW" } });
  await server.ask("POST", `/v1/inventory/${sku}/adjustments`, { delta: stock, reason: "opening stock" }, { "Idempotency-Key": fresh() });
}

/** The order once it has settled, or after `wait` seconds. */
export function placeOrder(server, token = "tok_approve", { sku = "americano", quantity = 1, wait = 5 } = {}) {
  return server.ask("POST", "/v1/orders", {
    customer_id: "c-42",
    lines: [{ sku, quantity }],
    payment: { method: "card", token },
    shipping_address: { line1: "1 Sejong-daero", city: "Seoul", country: "KR" },
  }, { "Idempotency-Key": fresh(), Prefer: `wait=${wait}` });
}
export const cancelOrder = (server, id) =>
  server.ask("POST", `/v1/orders/${id}/cancellations`, { reason: "changed my mind" }, { "Idempotency-Key": fresh() });

/** An order whose refund the provider refuses again and again: blocked once its budget is spent. */
export async function blockedOrder(server) {
  const { id } = await placeOrder(server, "tok_refund_fails_1000");
  await cancelOrder(server, id);
  await until("the refund is stuck", async () => {
    const saga = await server.ask("GET", `/admin/v1/sagas/${id}`);
    if (saga.saga === "blocked") return true;
    if (saga.allowed_actions.includes("retry_now")) await server.ask("POST", `/admin/v1/sagas/${id}/actions`, { action: "retry_now", reason: "test" });
    return false;
  });
  return id;
}

/** An order that holds its stock and goes no further: its payment is unknown, and it is paused. */
export async function pausedOrder(server, what = {}) {
  const { id } = await placeOrder(server, "tok_timeout", { ...what, wait: 1 });
  await server.ask("POST", `/admin/v1/sagas/${id}/actions`, { action: "pause", reason: "test" });
  return id;
}
