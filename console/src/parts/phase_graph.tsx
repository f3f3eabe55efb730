// What an order can go through (docs/ARCHITECTURE.md), with the place where it stands lit.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { JumunEvent } from "../api/shapes";
import { named, t } from "../text";

const places: Record<string, readonly [number, number]> = {
  reserving: [66, 26],
  charging: [216, 26],
  dispatching: [366, 26],
  committing: [506, 26],
  fulfilled: [646, 26],
  inquiring: [190, 102],
  voiding: [296, 102],
  releasing: [216, 178],
  refunding: [366, 178],
  undelivering: [506, 178],
  rejected: [66, 170],
  cancelled: [66, 204],
};
const ways: readonly (readonly [string, string])[] = [
  ["reserving", "charging"],
  ["charging", "dispatching"],
  ["dispatching", "committing"],
  ["committing", "fulfilled"],
  ["charging", "inquiring"],
  ["inquiring", "dispatching"],
  ["charging", "voiding"],
  ["inquiring", "voiding"],
  ["voiding", "releasing"],
  ["dispatching", "refunding"],
  ["dispatching", "undelivering"],
  ["committing", "undelivering"],
  ["fulfilled", "undelivering"],
  ["undelivering", "refunding"],
  ["refunding", "releasing"],
  ["releasing", "rejected"],
  ["releasing", "cancelled"],
  ["reserving", "releasing"],
];
/** Which phase each event says was reached. */
const reached: Record<string, string> = {
  OrderPlaced: "reserving",
  StockDecreased: "charging",
  PaymentOutcomeUnknown: "inquiring",
  PaymentApproved: "dispatching",
  DeliveryStarted: "committing",
  DeliveryPickedUp: "fulfilled",
  DeliveryCompleted: "fulfilled",
  DeliveryCanceled: "undelivering",
  PaymentCanceled: "refunding",
  StockIncreased: "releasing",
  OrderRejected: "rejected",
};

const half = { w: 51, h: 13 },
  size = { w: 712, h: 224 };
function path(from: string, to: string): string {
  const [ax, ay] = places[from]!,
    [bx, by] = places[to]!;
  if (from === "reserving" && to === "releasing")
    return `M${ax - 20} ${ay + half.h} C ${ax - 20} 128, 108 140, ${bx - half.w} ${by - 6}`;
  if (ay === by) {
    const s = bx > ax ? 1 : -1;
    return `M${ax + s * half.w} ${ay} L${bx - s * half.w} ${by}`;
  }
  const s = by > ay ? 1 : -1;
  if (Math.abs(bx - ax) < 30) return `M${ax} ${ay + s * half.h} L${bx} ${by - s * half.h}`;
  if (ax === 216 && bx === 66) return `M${ax - half.w} ${ay} L${bx + half.w} ${by}`;
  return `M${ax + (bx > ax ? 18 : -18)} ${ay + s * half.h} L${bx + (bx > ax ? -18 : 18)} ${by - s * half.h}`;
}

export function PhaseGraph({ phase, events, saga }: { phase: string; events: JumunEvent[]; saga: string }) {
  const way = [...events.map((e) => reached[e.type]).filter((p) => p !== undefined), phase];
  const seen = new Set(way);
  const gone = new Set(way.map((p, i) => way[i - 1] + p)); // from each place to the next
  // On a telephone the whole of it would not be legible: what is lit is in sight.
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const el = box.current!;
    el.scrollLeft = ((places[phase]?.[0] ?? 0) / size.w) * el.scrollWidth - el.clientWidth / 2;
  }, [phase]);
  return (
    <div class="scroll" ref={box} tabIndex={0} role="region" aria-label={t.whereItStands}>
      <svg
        class="phases"
        viewBox={`0 0 ${size.w} ${size.h}`}
        role="img"
        aria-label={t.phaseNow(named(t.phases, phase))}
      >
        <defs>
          <marker
            id="tip"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="6"
            markerHeight="6"
            orient="auto-start-reverse"
          >
            <path d="M0 1 7 4 0 7z" />
          </marker>
        </defs>
        {ways.map(([a, b]) => (
          <path
            key={a + b}
            class={`way ${gone.has(a + b) ? "gone" : ""}`}
            d={path(a, b)}
            marker-end="url(#tip)"
          />
        ))}
        {Object.entries(places).map(([name, [x, y]]) => (
          <g key={name} class={`phase ${name === phase ? `now ${saga}` : seen.has(name) ? "seen" : ""}`}>
            <rect x={x - half.w} y={y - half.h} width={half.w * 2} height={half.h * 2} rx="13" />
            <text x={x} y={y + 4}>
              {named(t.phases, name)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}
