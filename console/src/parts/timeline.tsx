// An order's messages and commits, one a row, on the lanes of those who took part. Rows, not a picture:
// they can be read out, selected and searched.
import { useState } from "preact/hooks";
import type { Lane, Timeline, TimelineEntry } from "../api/shapes";
import { clock, duration } from "../lib/format";
import { ActorLink } from "./links";
import { Json } from "./json";
import { named, t } from "../text";

const narrow = matchMedia("(max-width: 720px)");
const rowHeight = 30;
const pauseTold = 10_000; // µs between two rows, from which on it is said
const laneKind = (id: string): string => id.split("/")[0]!;
const laneToken = (id: string): string =>
  ["saga", "inventory", "payment", "delivery"].includes(laneKind(id))
    ? `var(--lane-${laneKind(id)})`
    : "var(--lane-other)";

function Lanes({ lanes, entry }: { lanes: Lane[]; entry: TimelineEntry }) {
  const laneWidth = narrow.matches ? 15 : 30;
  const x = (id: string | null) => {
    // A message of another node's inventory does not say which it was: where there is one, it was that.
    const like = lanes.filter((l) => l.id.startsWith(`${id}/`));
    const known = like.length === 1 ? like[0]!.id : id;
    const i = lanes.findIndex((l) => l.id === known);
    return i < 0 ? null : i * laneWidth + laneWidth / 2;
  };
  const at = x(entry.lane),
    from = x(entry.from),
    to = x(entry.to),
    mid = rowHeight / 2;
  const arrow = from !== null && to !== null && from !== to;
  const tip = arrow ? (to > from ? -6 : 6) : 0;
  return (
    <svg class="lanes" width={lanes.length * laneWidth} height={rowHeight} aria-hidden="true">
      {lanes.map((l) => (
        <line key={l.id} class="lane" x1={x(l.id)!} x2={x(l.id)!} y1="0" y2={rowHeight} />
      ))}
      {arrow && (
        <g stroke={laneToken(entry.from!)} fill="none">
          <path d={`M${from} ${mid}H${to! + tip / 3}`} />
          <path d={`M${to! + tip} ${mid - 3.5}l${-tip + tip / 3} 3.5l${tip - tip / 3} 3.5`} />
        </g>
      )}
      {at !== null &&
        (entry.kind === "commit" ? (
          <rect x={at - 4} y={mid - 4} width="8" height="8" rx="1.500" fill={laneToken(entry.lane)} />
        ) : entry.kind === "event" ? (
          <circle cx={at} cy={mid} r="4.500" fill={laneToken(entry.lane)} />
        ) : (
          <circle class="hollow" cx={at} cy={mid} r="3" stroke={laneToken(entry.lane)} />
        ))}
    </svg>
  );
}

export function TimelineList({ timeline }: { timeline: Timeline }) {
  const [open, setOpen] = useState(-1);
  const { lanes, entries } = timeline;
  const start = entries[0]?.at_us ?? 0;
  return (
    <div class="timeline">
      <ul class="lanenames" aria-label={t.lanes}>
        {lanes.map((l) => (
          <li key={l.id} style={{ "--c": laneToken(l.id) }}>
            {l.actor ? <ActorLink name={l.actor} /> : named(t.laneNames, l.id)}
            {l.node && <span class="quiet"> {l.node}</span>}
          </li>
        ))}
      </ul>
      <ol>
        {entries.map((e, i) => {
          const gap = e.at_us - (entries[i - 1]?.at_us ?? start);
          return (
            <li key={i} class={e.kind}>
              <button aria-expanded={open === i} onClick={() => setOpen(open === i ? -1 : i)}>
                <span class="at figures" title={clock(e.at)}>
                  {i === 0 ? clock(e.at) : `+${duration(e.at_us - start)}`}
                </span>
                <Lanes lanes={lanes} entry={e} />
                <span class="name">
                  {t.rowNames[e.name] ?? e.name}
                  <span class="sr">
                    {" "}
                    {e.kind}, {e.lane}
                  </span>
                </span>
                <span class="detail quiet">{e.detail}</span>
                <span class="took figures quiet">
                  {e.duration_us !== null
                    ? duration(e.duration_us)
                    : gap >= pauseTold
                      ? `Δ ${duration(gap)}`
                      : ""}
                </span>
              </button>
              {open === i && (
                <div class="payload">
                  {e.wait_us !== null && <p class="quiet">{t.waitedInMailbox(duration(e.wait_us))}</p>}
                  <Json value={e.event ?? e} label={t.payload} />
                </div>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
