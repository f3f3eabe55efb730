import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Actor, ActorTotal, Page } from "../api/shapes";
import { filter, go, href, place } from "../lib/router";
import { usePages } from "../live/pages";
import { usePoll } from "../live/poll";
import { Rates } from "../live/rates";
import { count, none, short } from "../lib/format";
import { Card, ViewHead } from "../parts/layout";
import { Table, type Column } from "../parts/table";
import { Chip } from "../parts/chip";
import { FilterField } from "../parts/filter_field";
import { Icon } from "../parts/icons";
import { ListPage } from "../parts/list_page";
import { ActorLink, NodeLink, ShardLink } from "../parts/links";
import { PartialNote, ProblemNote } from "../parts/problem";
import { named, t } from "../text";

const orders = ["tree", "list", "mailbox_depth", "messages_handled", "restarts"] as const;
type By = (typeof orders)[number];
/** The filters of the list; with one of them a link leads there, and not to the tree. */
const narrowing = ["kind", "shard", "state", "name", "parent", "node"] as const;
const nameWidth = "max(184px, 18vw)";
const states = ["running", "restarting", "quarantined", "dormant"];

export function ActorsView() {
  const q = place.value.query;
  const narrowed = narrowing.some((f) => q[f]);
  const by = (orders as readonly string[]).includes(q.by ?? "") ? (q.by as By) : narrowed ? "list" : "tree";
  return (
    <>
      <ViewHead title={t.actors}>
        <div class="segments" role="group" aria-label={t.show}>
          {orders.map((o) => (
            <button key={o} aria-pressed={o === by} onClick={() => filter({ by: o })}>
              {t.actorOrders[o]}
            </button>
          ))}
        </div>
      </ViewHead>
      <Totals />
      {by === "tree" ? <Tree /> : <Flat by={by} />}
    </>
  );
}

function Totals() {
  const { live } = usePoll((signal) => calls.actorTotals(signal), 2_000, []);
  const rates = useRef(new Rates());
  const { data, error, at } = live.value;
  const kinds = useMemo(() => sumByKind(data?.data ?? []), [data]);
  const columns: Column<ActorTotal>[] = [
    {
      id: "kind",
      head: t.kind,
      cell: (k) => <a href={href(["actors"], { kind: k.kind })}>{named(t.kinds, k.kind)}</a>,
    },
    { id: "count", head: t.count, num: true, cell: (k) => count(k.count) },
    {
      id: "rate",
      head: t.perSecond,
      num: true,
      cell: (k) => short(rates.current.take(k.kind, k.messages_handled, at)),
    },
    { id: "depth", head: t.mailbox, num: true, cell: (k) => count(k.mailbox_depth) },
    { id: "deepest", head: t.deepest, num: true, show: "wide", cell: (k) => count(k.mailbox_depth_max) },
    { id: "handled", head: t.handled, num: true, show: "wide", cell: (k) => short(k.messages_handled) },
    { id: "restarts", head: t.restarts, num: true, cell: (k) => count(k.restarts) },
    {
      id: "dormant",
      head: t.states.dormant,
      num: true,
      show: "wide",
      cell: (k) => (k.dormant ? count(k.dormant) : none),
    },
    {
      id: "aside",
      head: t.states.quarantined,
      num: true,
      cell: (k) =>
        k.quarantined ? (
          <a href={href(["actors"], { kind: k.kind, state: "quarantined" })}>{count(k.quarantined)}</a>
        ) : (
          none
        ),
    },
  ];
  return (
    <Card title={t.perKind} bare>
      <ProblemNote of={error} />
      <PartialNote page={data} />
      <Table label={t.perKind} columns={columns} rows={kinds} id={(k) => k.kind} />
    </Card>
  );
}
function sumByKind(rows: ActorTotal[]): ActorTotal[] {
  const kinds = new Map<string, ActorTotal>();
  for (const r of rows) {
    const sum = kinds.get(r.kind);
    if (!sum) {
      kinds.set(r.kind, { ...r });
      continue;
    }
    for (const f of [
      "count",
      "running",
      "restarting",
      "quarantined",
      "dormant",
      "mailbox_depth",
      "messages_handled",
      "restarts",
    ] as const)
      sum[f] += r[f];
    sum.mailbox_depth_max = Math.max(sum.mailbox_depth_max, r.mailbox_depth_max);
  }
  return [...kinds.values()];
}

const figures = (rates: Rates, at: number): Column<Actor>[] => [
  { id: "state", head: t.state, width: "100px", cell: (a) => <Chip state={a.state} /> },
  { id: "depth", head: t.mailbox, width: "80px", num: true, cell: (a) => count(a.mailbox_depth) },
  {
    id: "rate",
    head: t.perSecond,
    width: "72px",
    num: true,
    show: "wide",
    cell: (a) => short(rates.take(a.node + a.id, a.messages_handled, at)),
  },
  {
    id: "handled",
    head: t.handled,
    width: "96px",
    num: true,
    show: "wide",
    cell: (a) => count(a.messages_handled),
  },
  {
    id: "restarts",
    head: t.restarts,
    width: "80px",
    num: true,
    show: "wide",
    cell: (a) => a.restarts || none,
  },
  {
    id: "where",
    head: t.where,
    width: "124px",
    show: "wide",
    cell: (a) => (
      <>
        <NodeLink node={a.node} />
        {a.shard !== null && (
          <>
            {" "}
            · <ShardLink shard={a.shard} />
          </>
        )}
      </>
    ),
  },
  {
    id: "error",
    head: t.lastError,
    show: "extra",
    cell: (a) => (
      <span class="quiet" title={a.last_error ?? ""}>
        {a.last_error ?? none}
      </span>
    ),
  },
];

function Flat({ by }: { by: By }) {
  const q = place.value.query;
  const sort = by === "list" ? undefined : by;
  const ask = {
    kind: q.kind,
    shard: q.shard,
    state: q.state,
    name: q.name,
    parent: q.parent,
    node: q.node,
    sort,
  };
  const list = usePages<Actor>(
    (cursor, signal) => calls.actors({ ...ask, limit: 200, cursor }, signal),
    2_000,
    [JSON.stringify(ask)],
  );
  const rates = useRef(new Rates());
  const seen = useMemo(() => Date.now(), [list.page]);
  const columns: Column<Actor>[] = [
    { id: "name", head: t.name, width: nameWidth, cell: (a) => <ActorLink name={a.name} /> },
    ...figures(rates.current, seen),
  ];
  return (
    <>
      <ListPage
        label={t.actors}
        list={list}
        columns={columns}
        id={(a) => a.node + a.id}
        open={(a) => go(["actors", a.name])}
        topAlone={sort !== undefined}
        clears={narrowing}
      >
        <FilterField name="name" label={t.nameBegins} />
        <FilterField name="shard" label={t.shard} pattern={/^\d{1,3}$/} />
        <select
          aria-label={t.kind}
          value={q.kind ?? ""}
          onChange={(e) => filter({ kind: e.currentTarget.value })}
        >
          <option value="">{t.anyKind}</option>
          {Object.keys(t.kinds).map((k) => (
            <option key={k} value={k}>
              {t.kinds[k]}
            </option>
          ))}
        </select>
        <select
          aria-label={t.state}
          value={q.state ?? ""}
          onChange={(e) => filter({ state: e.currentTarget.value })}
        >
          <option value="">{t.anyState}</option>
          {states.map((s) => (
            <option key={s} value={s}>
              {t.states[s]}
            </option>
          ))}
        </select>
        {q.parent && <span class="chip plain">{t.under(q.parent)}</span>}
        {q.node && <span class="chip plain">{q.node}</span>}
      </ListPage>
    </>
  );
}

// -- the supervision tree ---------------------------------------------------------------------------

interface Branch {
  key: string;
  actor?: Actor;
  level: number;
  moreOf?: Actor;
} // moreOf: its other children
const branchOf = (a: Actor): string => `${a.node}|${a.name}`;
const childrenShown = 200; // of one parent; the list has them all

function Tree() {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(["|"]));
  const rates = useRef(new Rates());
  const { live } = usePoll(
    async (signal) => {
      const found = new Map<string, Page<Actor>>();
      await Promise.all(
        [...open].map(async (key) => {
          const [node, name] = key.split("|") as [string, string];
          found.set(key, await calls.actors({ parent: name, node, limit: childrenShown }, signal));
        }),
      );
      return found;
    },
    2_000,
    [[...open].sort().join()],
  );
  // While a branch is on its way the others stay.
  const last = useRef(new Map<string, Page<Actor>>());
  if (live.value.data) last.current = live.value.data;
  // A node that is alone is opened: its row says nothing that is not said above.
  const roots = last.current.get("|")?.data;
  useEffect(() => {
    if (roots?.length === 1) setOpen(new Set(["|", branchOf(roots[0]!)]));
  }, [roots !== undefined]);
  const children = last.current;

  const rows: Branch[] = [];
  function add(key: string, level: number, parent?: Actor): void {
    const page = children.get(key);
    for (const a of page?.data ?? []) {
      rows.push({ key: branchOf(a), actor: a, level });
      if (open.has(branchOf(a))) add(branchOf(a), level + 1, a);
    }
    if (page?.next_cursor && parent) rows.push({ key: `${key} more`, level, moreOf: parent });
  }
  add("|", 0);
  function toggle(key: string): void {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  }
  const columns: Column<Branch>[] = [
    {
      id: "name",
      head: t.name,
      width: nameWidth,
      cell: ({ actor: a, level, key, moreOf }) => (
        <span class="branch" style={{ paddingLeft: `${level * 18}px` }}>
          {a &&
            (a.kind === "saga" || a.kind === "inventory" || a.kind === "payment" || a.kind === "delivery" ? (
              <span class="leaf" />
            ) : (
              <button
                class="twist"
                aria-expanded={open.has(key)}
                aria-label={t.childrenOf(a.name)}
                onClick={() => toggle(key)}
              >
                <Icon name={open.has(key) ? "open" : "right"} />
              </button>
            ))}
          {a ? (
            <ActorLink name={a.name} />
          ) : (
            moreOf && (
              <a href={href(["actors"], { parent: moreOf.name, node: moreOf.node })}>
                {t.allChildren(moreOf.name)}
              </a>
            )
          )}
        </span>
      ),
    },
    ...figures(rates.current, live.value.at).map((c): Column<Branch> => ({
      ...c,
      cell: (b) => (b.actor ? c.cell(b.actor) : null),
    })),
  ];
  return (
    <Card title={t.actorOrders.tree} bare>
      <ProblemNote of={live.value.error} />
      <Table
        label={t.actorOrders.tree}
        tall
        columns={columns}
        rows={rows}
        id={(b) => b.key}
        empty={t.loading}
      />
    </Card>
  );
}
