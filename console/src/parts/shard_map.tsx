// The 256 shards as 16 by 16 squares: whose, and how busy. One stop for the tab key; arrows go from square to square.
import type { Shard } from "../api/shapes";
import { filter } from "../lib/router";
import { count, duration, none, short } from "../lib/format";
import { t } from "../text";

const across = 16,
  hues = 8;

interface Props {
  shards: Shard[];
  nodes: string[];
  loads: Map<number, number | null>;
  by: string; // owner, load, open, lag
  lit?: string; // a node whose shards stand out
  selected?: string;
}

export function ShardMap({ shards, nodes, loads, by, lit, selected }: Props) {
  const figure = (s: Shard): number =>
    (by === "open" ? s.sagas_open : by === "lag" ? s.lag_us : loads.get(s.shard)) ?? 0;
  const most = Math.max(1, ...shards.map(figure));
  const hue = (owner: string | null): number => (owner === null ? -1 : nodes.indexOf(owner) % hues);
  const stop = shards.some((s) => String(s.shard) === selected) ? Number(selected) : 0;

  function keys(e: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[e.key];
    const at = Number((e.target as HTMLElement).dataset.shard);
    if (!step || Number.isNaN(at) || at + step < 0 || at + step >= shards.length) return;
    e.preventDefault();
    filter({ shard: at + step });
    (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-shard="${at + step}"]`)?.focus();
  }
  return (
    <div class="stack tight">
      <div class="shardmap" role="group" aria-label={t.shardMap} onKeyDown={keys}>
        {shards.map((s) => {
          const share = by === "owner" ? 0.72 : 0.1 + 0.9 * Math.sqrt(figure(s) / most);
          const trouble = s.state !== "running" || s.owner === null;
          const says = `${t.shardN(s.shard)}, ${s.owner ?? none}, ${t.states[s.state] ?? s.state}, ${t.inFlight} ${count(s.sagas_open)}, ${t.decisions} ${short(loads.get(s.shard))}/s, ${t.lag} ${duration(s.lag_us)}`;
          return (
            <button
              key={s.shard}
              type="button"
              data-shard={s.shard}
              tabIndex={s.shard === stop ? 0 : -1}
              title={says}
              aria-label={says}
              aria-pressed={String(s.shard) === selected}
              class={`hue${hue(s.owner)} ${trouble ? "trouble" : ""} ${s.moving_to ? "moving" : ""} ${lit && s.owner !== lit ? "dim" : ""}`}
              style={{ "--share": String(share) }}
              onClick={() => filter({ shard: s.shard })}
            />
          );
        })}
      </div>
      <ul class="legend" aria-label={t.nodes}>
        {nodes.map((n) => (
          <li key={n}>
            <button
              type="button"
              class={`key hue${hue(n)}`}
              aria-pressed={lit === n}
              onClick={() => filter({ node: lit === n ? "" : n })}
            >
              <i />
              {n} <b>{count(shards.filter((s) => s.owner === n).length)}</b>
            </button>
          </li>
        ))}
        <li>
          <span class="key trouble">
            <i />
            {t.inTrouble}
          </span>
        </li>
        <li>
          <span class="key moving">
            <i />
            {t.onItsWay}
          </span>
        </li>
      </ul>
    </div>
  );
}
