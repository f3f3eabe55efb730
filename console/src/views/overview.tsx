import { overview, overviewRefused, series, totals, type Series } from "../live/overview";
import { usePoll } from "../live/poll";
import { calls } from "../api/calls";
import { href } from "../lib/router";
import { count, duration, milliseconds, moneys, seconds, short } from "../lib/format";
import { Bars, Card, Tile, ViewHead } from "../parts/layout";
import { Plot, type Line } from "../parts/plot";
import { ProblemNote } from "../parts/problem";
import { Chip } from "../parts/chip";
import { Age } from "../parts/time";
import { NodeLink, OrderLink } from "../parts/links";
import { now } from "../live/clock";
import { t } from "../text";

const sagaStates = ["running", "waiting", "paused", "blocked", "recovering"] as const;
const funnel = ["accepted", "preparing", "shipped", "delivered", "rejected", "cancelled", "blocked"] as const;

/** The last few seconds' rate: one second alone jumps. */
function rate(column: readonly (number | null)[]): number | null {
  const last = column.slice(-6, -1).filter((v) => v !== null);
  return last.length ? last.reduce((a, b) => a + b, 0) / last.length : null;
}

/** The newest that was measured in the last minute: in a quiet second nothing is. */
const newest = (column: readonly (number | null)[]): number | null =>
  column.slice(-60).findLast((v) => v !== null) ?? null;

export function OverviewView() {
  const all = totals.value;
  return (
    <>
      <ViewHead title={t.overview} note={t.overviewNote} />
      <ProblemNote of={overviewRefused.value} />
      {overview.value?.missing_nodes.length ? (
        <div class="note warn" role="status">
          {t.missingNodes(overview.value.missing_nodes.join(", "))}
        </div>
      ) : null}
      {all ? <Figures /> : !overviewRefused.value && <div class="empty">{t.loading}</div>}
      <Plots s={series.value} />
      <div class="columns">
        <Card title={t.sagasByState} class="w4">
          <Bars
            rows={sagaStates.map((s) => ({
              name: t.states[s],
              value: all?.sagas[s] ?? 0,
              text: count(all?.sagas[s]),
              href: s === "recovering" ? undefined : href(["orders"], { state: s }),
            }))}
          />
        </Card>
        <Card title={t.funnel} class="w4">
          <Bars
            rows={funnel.map((s) => ({
              name: t.states[s] ?? s,
              value: all?.funnel[s] ?? 0,
              text: short(all?.funnel[s]),
            }))}
          />
        </Card>
        <div class="w4 stack">
          <Breakers />
          <Nodes />
        </div>
      </div>
    </>
  );
}

function Figures() {
  const { now: sample, sagas, money, oldest } = totals.value!;
  const { columns } = series.value;
  return (
    <div class="tiles">
      <Tile
        name={t.ordersPerSecond}
        value={short(rate(columns.accepted) ?? sample.accepted)}
        unit="/s"
        sub={t.settledPerSecond(short(rate(columns.settled) ?? sample.settled))}
      />
      <Tile
        name={t.settleTime}
        value={milliseconds(newest(columns.settle_p50_ms))}
        sub={`p99 ${milliseconds(newest(columns.settle_p99_ms))}`}
      />
      <Tile
        name={t.inFlight}
        value={count(sample.open)}
        href={href(["orders"], { preset: "open" })}
        sub={t.waitingN(count(sagas.waiting))}
      />
      <Tile
        name={t.blocked}
        value={count(sagas.blocked)}
        tone={sagas.blocked > 0 ? "bad" : ""}
        href={href(["attention"])}
        sub={t.atRisk(moneys(money))}
      />
      <Tile
        name={t.oldestInFlight}
        value={oldest ? seconds(now.value - Date.parse(oldest.since)) : "–"}
        sub={oldest ? (t.states[oldest.state] ?? oldest.state) : t.nothingInFlight}
        href={oldest ? href(["orders", oldest.order_id]) : undefined}
      />
      <Tile
        name={t.commitTime}
        value={duration(newest(columns.commit_p50_us))}
        sub={`p99 ${duration(newest(columns.commit_p99_us))}`}
        href={href(["storage"])}
      />
      <Tile
        name={t.requests}
        value={short(rate(columns.requests) ?? sample.requests)}
        unit="/s"
        sub={t.turnedAway(short(sample.turned_away))}
        tone={sample.turned_away > 0 ? "warn" : ""}
      />
    </div>
  );
}

function Plots({ s }: { s: Series }) {
  const c = s.columns;
  const plot = (title: string, lines: Line[], format: (n: number | null | undefined) => string) => (
    <Card title={title} class="w6">
      <Plot label={title} times={s.times} lines={lines} format={format} whole={format === short} />
    </Card>
  );
  return (
    <div class="columns">
      {plot(
        t.plotOrders,
        [
          { label: t.accepted, token: "--accent", values: c.accepted, fill: true },
          { label: t.settled, token: "--info", values: c.settled },
          { label: t.failed, token: "--bad", values: c.failed },
        ],
        short,
      )}
      {plot(
        t.plotSettle,
        [
          { label: "p50", token: "--accent", values: c.settle_p50_ms },
          { label: "p99", token: "--warn", values: c.settle_p99_ms },
        ],
        milliseconds,
      )}
      {plot(
        t.plotOpen,
        [
          { label: t.inFlight, token: "--info", values: c.open, fill: true },
          { label: t.blocked, token: "--bad", values: c.blocked },
        ],
        short,
      )}
      {plot(
        t.plotCommit,
        [
          { label: "p50", token: "--accent", values: c.commit_p50_us },
          { label: "p99", token: "--warn", values: c.commit_p99_us },
        ],
        duration,
      )}
    </div>
  );
}

function Breakers() {
  const breakers = totals.value?.breakers ?? [];
  const many = (overview.value?.nodes.length ?? 0) > 1;
  return (
    <Card title={t.breakers}>
      <ul class="stack tight">
        {breakers.map((b) => (
          <li key={b.node + b.name} class="row">
            <span>{b.name}</span>
            {many && <span class="quiet">{b.node}</span>}
            <span class="row" style={{ marginLeft: "auto" }}>
              {b.waiting > 0 && <span class="quiet figures">{t.waitingN(count(b.waiting))}</span>}
              <Chip state={b.state} words={t.breakerStates} />
            </span>
          </li>
        ))}
        {!breakers.length && <li class="quiet">{t.nothing}</li>}
      </ul>
    </Card>
  );
}

function Nodes() {
  const { live } = usePoll((signal) => calls.cluster(signal), 5_000, []);
  const oldest = totals.value?.oldest;
  return (
    <Card title={t.nodes}>
      <ul class="stack tight">
        {live.value.data?.members.map((m) => (
          <li key={m.id} class="row">
            <NodeLink node={m.id} /> <span class="quiet figures">{t.shardsN(m.shards)}</span>
            <span style={{ marginLeft: "auto" }}>
              <Chip state={m.state} />
            </span>
          </li>
        ))}
        {oldest && (
          <li class="row quiet">
            {t.oldestInFlight}: <OrderLink id={oldest.order_id} /> <Age at={oldest.since} />
          </li>
        )}
      </ul>
      <ProblemNote of={live.value.error} />
    </Card>
  );
}
