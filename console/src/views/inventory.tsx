import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Stock } from "../api/shapes";
import { go, place, filter } from "../lib/router";
import { usePages } from "../live/pages";
import { count, none } from "../lib/format";
import { Card, ViewHead } from "../parts/layout";
import { Table, type Column } from "../parts/table";
import { ListFoot } from "../parts/list_foot";
import { PartialNote, ProblemNote } from "../parts/problem";
import { SkuLink } from "../parts/links";
import { t } from "../text";

const sorts = ["sku", "reserved", "available"] as const;
type Sort = (typeof sorts)[number];
const sorted: Record<Sort, (a: Stock, b: Stock) => number> = {
  sku: () => 0, // as the server lists them
  reserved: (a, b) => b.reserved - a.reserved,
  available: (a, b) => a.available - b.available,
};

/** Which part of what lies on the shelf is promised to orders. */
export function StockBar({ stock }: { stock: Stock }) {
  const part = stock.on_hand > 0 ? stock.reserved / stock.on_hand : 0;
  return (
    <span class={`stockbar ${stock.available === 0 ? "out" : ""}`} aria-hidden="true">
      <i style={{ width: `${Math.min(100, part * 100)}%` }} />
    </span>
  );
}

export function InventoryView() {
  const q = place.value.query;
  const [text, setText] = useState(q.text ?? "");
  const by: Sort = (sorts as readonly string[]).includes(q.by ?? "") ? (q.by as Sort) : "sku";
  const list = usePages<Stock>((cursor, signal) => calls.stock({ limit: 200, cursor }, signal), 3_000, []);
  const rows = list.rows.filter((s) => s.sku.toLowerCase().includes(text.toLowerCase())).sort(sorted[by]);
  const columns: Column<Stock>[] = [
    { id: "sku", head: t.sku, cell: (s) => <SkuLink sku={s.sku} /> },
    { id: "onhand", head: t.onHand, width: "110px", num: true, cell: (s) => count(s.on_hand) },
    {
      id: "reserved",
      head: t.reserved,
      width: "110px",
      num: true,
      cell: (s) => (s.reserved ? count(s.reserved) : none),
    },
    {
      id: "available",
      head: t.available,
      width: "110px",
      num: true,
      cell: (s) => (s.available ? count(s.available) : <strong class="bad-text">{t.soldOut}</strong>),
    },
    { id: "bar", head: t.promised, width: "180px", show: "wide", cell: (s) => <StockBar stock={s} /> },
    {
      id: "version",
      head: t.version,
      width: "100px",
      num: true,
      show: "wide",
      cell: (s) => count(s.version),
    },
  ];
  return (
    <>
      <ViewHead title={t.inventory}>
        <div class="segments" role="group" aria-label={t.sort}>
          {sorts.map((s) => (
            <button key={s} aria-pressed={s === by} onClick={() => filter({ by: s })}>
              {t.stockSorts[s]}
            </button>
          ))}
        </div>
      </ViewHead>
      <div class="filters" role="search" aria-label={t.filters}>
        <input
          type="search"
          aria-label={t.sku}
          placeholder={t.skuHas}
          value={text}
          onInput={(e) => {
            setText(e.currentTarget.value);
            filter({ text: e.currentTarget.value });
          }}
        />
      </div>
      <ProblemNote of={list.error} />
      <PartialNote page={list.page} />
      <Card bare>
        <Table
          label={t.inventory}
          tall
          columns={columns}
          rows={rows}
          id={(s) => s.sku}
          more={list.more}
          open={(s) => go(["inventory", s.sku])}
          empty={list.busy ? t.loading : t.nothing}
        />
        <ListFoot list={list} />
      </Card>
    </>
  );
}
