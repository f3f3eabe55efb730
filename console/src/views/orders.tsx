import { calls } from "../api/calls";
import type { Page, Saga } from "../api/shapes";
import { go, href, place } from "../lib/router";
import { usePages } from "../live/pages";
import { totals } from "../live/overview";
import { explain } from "../lib/explain";
import { count, money, none } from "../lib/format";
import { ViewHead } from "../parts/layout";
import type { Column } from "../parts/table";
import { Chip } from "../parts/chip";
import { Age, Countdown } from "../parts/time";
import { NodeLink, OrderLink, ShardLink } from "../parts/links";
import { ListPage } from "../parts/list_page";
import { FilterField } from "../parts/filter_field";
import { named, t } from "../text";

const compensating = "undelivering,refunding,voiding,releasing";
/** What each preset asks the server for. */
const presets = {
  open: {},
  running: { state: "running" },
  waiting: { state: "waiting" },
  compensating: { phase: compensating },
  paused: { state: "paused" },
  blocked: { state: "blocked" },
  done: { state: "done" },
} as const;
type Preset = keyof typeof presets;
const isPreset = (text: string | undefined): text is Preset => text !== undefined && text in presets;

const columns = (): Column<Saga>[] => [
  { id: "order", head: t.order, width: "104px", cell: (s) => <OrderLink id={s.order_id} /> },
  { id: "status", head: t.status, width: "96px", cell: (s) => <Chip state={s.status} /> },
  { id: "saga", head: t.saga, width: "94px", cell: (s) => <Chip state={s.saga} /> },
  { id: "phase", head: t.phase, width: "98px", show: "wide", cell: (s) => named(t.phases, s.phase) },
  { id: "age", head: t.age, width: "68px", num: true, cell: (s) => <Age at={s.created_at} /> },
  {
    id: "attempts",
    head: t.attempts,
    width: "74px",
    num: true,
    show: "wide",
    cell: (s) => s.attempts || none,
  },
  {
    id: "next",
    head: t.nextTry,
    width: "92px",
    show: "wide",
    cell: (s) => <Countdown to={s.next_attempt_at} />,
  },
  {
    id: "risk",
    head: t.moneyAtRisk,
    width: "92px",
    num: true,
    show: "extra",
    cell: (s) => (s.money_at_risk.amount ? money(s.money_at_risk) : none),
  },
  { id: "customer", head: t.customer, width: "84px", show: "extra", cell: (s) => s.customer_id },
  {
    id: "where",
    head: t.where,
    width: "106px",
    show: "wide",
    cell: (s) => (
      <>
        <ShardLink shard={s.owner.shard} /> · <NodeLink node={s.owner.node} />
      </>
    ),
  },
  {
    id: "explain",
    head: t.explain,
    show: "extra",
    cell: (s) => (
      <span class="quiet" title={explain(s)}>
        {explain(s)}
      </span>
    ),
  },
];

export function OrdersView() {
  const q = place.value.query;
  const preset: Preset = isPreset(q.preset) ? q.preset : isPreset(q.state) ? q.state : "open";
  const ask = { ...presets[preset], customer_id: q.customer, sku: q.sku, older_than: q.older };
  const list = usePages<Saga>(
    (cursor, signal): Promise<Page<Saga>> => calls.sagas({ ...ask, limit: 100, cursor }, signal),
    2_500,
    [JSON.stringify(ask)],
  );
  const sagas = totals.value?.sagas;
  const counts: Partial<Record<Preset, number | undefined>> = {
    open: totals.value?.now.open,
    running: sagas?.running,
    waiting: sagas?.waiting,
    paused: sagas?.paused,
    blocked: sagas?.blocked,
  };
  return (
    <>
      <ViewHead title={t.orders}>
        <nav class="segments" aria-label={t.presets}>
          {(Object.keys(presets) as Preset[]).map((p) => (
            <a
              key={p}
              href={href(["orders"], { ...q, state: undefined, preset: p })}
              aria-current={p === preset ? "page" : undefined}
            >
              {t.presetNames[p]}
              {counts[p] ? <span class="quiet figures"> {count(counts[p])}</span> : null}
            </a>
          ))}
        </nav>
      </ViewHead>
      <ListPage
        label={t.orders}
        list={list}
        columns={columns()}
        id={(s) => s.order_id}
        open={(s) => go(["orders", s.order_id])}
        empty={t.noOrders}
        clears={["customer", "sku", "older"]}
      >
        <FilterField name="customer" label={t.customer} />
        <FilterField name="sku" label={t.sku} />
        <FilterField name="older" label={t.olderThan} hint="15m" pattern={/^\d+[smhd]?$/} />
      </ListPage>
    </>
  );
}
