// The shop's pulse: one stream for the whole page, kept for 15 minutes, added up over the nodes.
import { computed, signal } from "@preact/signals";
import { listen } from "../api/stream";
import { addMoney } from "../lib/format";
import type { Problem } from "../api/http";
import type { Breaker, Money, NodeOverview, Overview, Sample, SampleName } from "../api/shapes";
import { paint } from "./paint";
import { started } from "./link";

const secondsKept = 900;
const sampleNames: SampleName[] = [
  "accepted",
  "settled",
  "failed",
  "settle_p50_ms",
  "settle_p99_ms",
  "commits",
  "commit_p50_us",
  "commit_p99_us",
  "write_sets",
  "open",
  "blocked",
  "requests",
  "turned_away",
];
/** Of several nodes the worst is shown; counts are added up. */
const worst = new Set<SampleName>(["settle_p50_ms", "settle_p99_ms", "commit_p50_us", "commit_p99_us"]);

export const overview = signal<Overview | null>(null);
export const overviewRefused = signal<Problem | null>(null);
const samples = new Map<string, Map<number, Sample>>(); // node → second → its sample
const samplesVersion = signal(0);

function keep(node: NodeOverview): void {
  let mine = samples.get(node.node);
  if (!mine) samples.set(node.node, (mine = new Map()));
  const second = Math.floor(Date.parse(node.at) / 1000);
  const h = node.history;
  if (h) {
    mine.clear();
    const from = Math.floor(Date.parse(h.from) / 1000),
      step = h.step_ms / 1000;
    h.accepted.forEach((_, i) =>
      mine.set(
        from + i * step,
        Object.fromEntries(sampleNames.map((n) => [n, h[n][i] ?? null])) as unknown as Sample,
      ),
    );
  }
  mine.set(second, node.now);
  for (const old of mine.keys()) {
    if (old >= second - secondsKept) break; // in order of time
    mine.delete(old);
  }
}

function add(a: number | null | undefined, b: number | null | undefined, name: SampleName): number | null {
  if (a === null || a === undefined) return b ?? null;
  if (b === null || b === undefined) return a;
  return worst.has(name) ? Math.max(a, b) : a + b;
}

export interface Series {
  times: number[];
  columns: Record<SampleName, (number | null)[]>;
}
/** Columns over the last 15 minutes, a second each, for plots. */
export const series = computed<Series>(() => {
  void samplesVersion.value;
  const seconds = [...new Set([...samples.values()].flatMap((m) => [...m.keys()]))].sort((a, b) => a - b);
  const columns = Object.fromEntries(
    sampleNames.map((name) => [
      name,
      seconds.map((s) => {
        let sum: number | null = null;
        for (const mine of samples.values()) sum = add(sum, mine.get(s)?.[name], name);
        return sum;
      }),
    ]),
  ) as Series["columns"];
  return { times: seconds, columns };
});

export interface Totals {
  now: Sample;
  funnel: NodeOverview["funnel"];
  sagas: NodeOverview["sagas"];
  money: Money[];
  oldest: NodeOverview["oldest_open"];
  breakers: (Pick<Breaker, "name" | "state" | "waiting"> & { node: string })[];
}
function addUp<T extends Record<string, number>>(all: T[]): T {
  const sum: Record<string, number> = {};
  for (const one of all) for (const [k, v] of Object.entries(one)) sum[k] = (sum[k] ?? 0) + v;
  return sum as T;
}
export const totals = computed<Totals | null>(() => {
  const nodes = overview.value?.nodes;
  if (!nodes?.length) return null;
  const now = Object.fromEntries(
    sampleNames.map((n) => [n, nodes.reduce<number | null>((sum, x) => add(sum, x.now[n], n), null)]),
  ) as unknown as Sample;
  const oldest =
    nodes
      .map((n) => n.oldest_open)
      .filter((o) => o !== null)
      .sort((a, b) => a.since.localeCompare(b.since))[0] ?? null;
  return {
    now,
    oldest,
    funnel: addUp(nodes.map((n) => n.funnel)),
    sagas: addUp(nodes.map((n) => n.sagas)),
    money: addMoney(nodes.flatMap((n) => n.money_at_risk)),
    breakers: nodes.flatMap((n) => n.breakers.map((b) => ({ ...b, node: n.node }))),
  };
});

/** Follows the server until the returned function is called. */
export function followOverview(): () => void {
  overviewRefused.value = null;
  return listen(
    "/admin/v1/overview",
    {},
    {
      frame(f) {
        if (f.event !== "overview" && f.event !== "sample") return;
        const told = JSON.parse(f.data) as Overview;
        paint(() => {
          if (f.event === "overview") samples.clear();
          told.nodes.forEach(keep);
          for (const n of told.nodes) started(n.node, n.started_at);
          overview.value = told;
          samplesVersion.value++;
        });
      },
      refused(why) {
        overviewRefused.value = why;
      },
    },
  );
}
