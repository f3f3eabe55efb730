// uPlot, drawn with the theme's colours, as wide as its place, and with its newest figures as text.
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { clock } from "../lib/format";
import { colour, painted } from "../lib/theme";

export interface Line {
  label: string;
  token: string;
  values: (number | null)[];
  fill?: boolean;
}
interface Props {
  label: string;
  times: number[];
  lines: Line[];
  format: (n: number | null | undefined) => string;
  height?: number;
  whole?: boolean;
}

/** Ticks of a plot of counts: no halves. */
const wholeSteps = [1, 2, 5]
  .flatMap((n) => Array.from({ length: 10 }, (_, i) => n * 10 ** i))
  .sort((a, b) => a - b);

/** Where a value has none beside it, there is no line to be seen: a point. */
const lonely: uPlot.Series.Points.Filter = (u, of) => {
  const has = (i: number) => (u.data[of]![i] ?? null) !== null;
  return [...u.data[0].keys()].filter((i) => has(i) && !has(i - 1) && !has(i + 1));
};

function options(p: Props, width: number): uPlot.Options {
  const axis = { stroke: colour("--text-3"), font: "11px Inter, sans-serif", ticks: { show: false } };
  const grid = { stroke: colour("--line"), width: 1 };
  return {
    width,
    height: p.height ?? 148,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, sync: { key: "jumun" } },
    scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), (max ?? 0) <= 0 ? 1 : max * 1.1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        values: (_, all) =>
          all.map((s) => clock(s * 1e3).slice(0, (all[1] ?? all[0]!) - all[0]! < 60 ? 8 : 5)),
      },
      {
        ...axis,
        grid,
        size: 58,
        space: 34,
        values: (_, all) => all.map((v) => p.format(v)),
        ...(p.whole ? { incrs: wholeSteps } : {}),
      },
    ],
    series: [
      {},
      ...p.lines.map((l): uPlot.Series => ({
        label: l.label,
        stroke: colour(l.token),
        width: 1.5,
        points: { show: true, size: 4, fill: colour(l.token), filter: lonely },
        spanGaps: false,
        ...(l.fill ? { fill: colour(l.token).replace(")", " / 0.12)").replaceAll(", ", " ") } : {}),
      })),
    ],
  };
}

export function Plot(p: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [p.times, ...p.lines.map((l) => l.values)];
  const latest = useRef(p);
  latest.current = p;
  const version = painted.value;

  useEffect(() => {
    const el = place.current!;
    const made = (plot.current = new uPlot(options(latest.current, el.clientWidth || 300), data, el));
    const watch = new ResizeObserver(() =>
      made.setSize({ width: el.clientWidth, height: latest.current.height ?? 148 }),
    );
    watch.observe(el);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [version, p.lines.map((l) => l.label).join()]);
  useEffect(() => plot.current?.setData(data), [p.times]);

  const newest = p.lines.map((l) => ({ ...l, last: l.values.findLast((v) => v !== null) }));
  return (
    <figure>
      <figcaption class="legend">
        {newest.map((l) => (
          <span key={l.label}>
            <i style={{ "--c": `var(${l.token})` }} />
            {l.label} <b>{p.format(l.last)}</b>
          </span>
        ))}
      </figcaption>
      <div
        class="plot"
        ref={place}
        role="img"
        aria-label={`${p.label}: ${newest.map((l) => `${l.label} ${p.format(l.last)}`).join(", ")}`}
      />
    </figure>
  );
}
