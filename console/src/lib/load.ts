// A little load from the page, to see how the shop bears a fault: so many orders a second, and what became of them.
import { signal } from "@preact/signals";
import { calls } from "../api/calls";
import { Problem } from "../api/http";
import type { Order } from "../api/shapes";
import { paint } from "../live/paint";

export interface Second {
  at: number;
  good: number;
  bad: number;
  p50_ms: number | null;
  p99_ms: number | null;
}
export interface Load {
  running: boolean;
  sent: number;
  good: number;
  rejected: number;
  bad: number;
  why: Record<string, number>;
  seconds: Second[];
}
const idle: Load = { running: false, sent: 0, good: 0, rejected: 0, bad: 0, why: {}, seconds: [] };
export const load = signal<Load>(idle);

export const ratesOffered = [1, 5, 20, 50] as const; // orders/s; a browser has six connections
const longestMs = 120_000,
  secondsKept = 120,
  atOnceMax = 40,
  waitSeconds = 5;

let stopNow: (() => void) | undefined;

/** Places orders until stopped, for two minutes at most. An order that is rejected was still answered. */
export function startLoad(sku: string, perSecond: number, token: string): void {
  stopLoad();
  load.value = { ...idle, running: true };
  let owed = 0,
    out = 0,
    over = false;
  let times: number[] = [],
    good = 0,
    bad = 0;
  const began = performance.now();

  async function one(): Promise<void> {
    out++;
    const from = performance.now();
    let failed = "";
    let order: Order | undefined;
    try {
      order = await calls.placeOrder(
        {
          customer_id: "console-load",
          lines: [{ sku, quantity: 1 }],
          payment: { method: "card", token },
          shipping_address: { line1: "1 Sejong-daero", city: "Seoul", country: "KR" },
        },
        { Prefer: `wait=${waitSeconds}` },
      );
    } catch (why) {
      failed = why instanceof Problem ? why.code : "unreachable";
    }
    out--;
    if (over) return;
    times.push(performance.now() - from);
    failed ? bad++ : good++;
    const s = load.peek();
    load.value = {
      ...s,
      good: s.good + (failed ? 0 : 1),
      bad: s.bad + (failed ? 1 : 0),
      rejected: s.rejected + (order?.status === "rejected" ? 1 : 0),
      why: failed ? { ...s.why, [failed]: (s.why[failed] ?? 0) + 1 } : s.why,
    };
  }
  function tick(): void {
    owed = Math.min(owed + perSecond / 10, perSecond);
    let sent = 0;
    for (; owed >= 1 && out < atOnceMax; owed--, sent++) void one();
    if (sent)
      paint(() => {
        load.value = { ...load.value, sent: load.value.sent + sent };
      });
    if (performance.now() - began > longestMs) stopLoad();
  }
  function second(): void {
    const sorted = times.sort((a, b) => a - b);
    const at = (q: number) =>
      sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]! : null;
    const done: Second = { at: Math.floor(Date.now() / 1000), good, bad, p50_ms: at(0.5), p99_ms: at(0.99) };
    ((times = []), (good = 0), (bad = 0));
    paint(() => {
      load.value = { ...load.value, seconds: [...load.value.seconds, done].slice(-secondsKept) };
    });
  }
  const timers = [setInterval(tick, 100), setInterval(second, 1_000)];
  stopNow = () => {
    over = true;
    timers.forEach(clearInterval);
    load.value = { ...load.value, running: false };
  };
}
export function stopLoad(): void {
  stopNow?.();
  stopNow = undefined;
}
