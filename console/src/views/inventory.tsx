import { calls } from "../api/calls";
import type { Page, Stock } from "../api/shapes";
import { go, place, filter } from "../lib/router";
import { usePages } from "../live/pages";
import { count, none } from "../lib/format";
import { ViewHead } from "../parts/layout";
import type { Column } from "../parts/table";
import { ListPage } from "../parts/list_page";
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

const looked = 2_000; // SKUs that are sorted and searched; the server lists them by name alone
/** The first `looked` as one page. */
async function first(signal?: AbortSignal): Promise<Page<Stock>> {
  const all = await calls.stock({ limit: 200 }, signal);
  while (all.next_cursor && all.data.length < looked) {
    const next = await calls.stock({ limit: 200, cursor: all.next_cursor }, signal);
    all.data.push(...next.data);
    all.next_cursor = next.next_cursor;
    all.partial ||= next.partial;
  }
  return all;
}

export function InventoryView() {
  const q = place.value.query;
  const by: Sort = (sorts as readonly string[]).includes(q.by ?? "") ? (q.by as Sort) : "sku";
  const text = (q.text ?? "").toLowerCase();
  const searched = by !== "sku" || text !== "";
  const list = usePages<Stock>(
    (cursor, signal) => (searched && !cursor ? first(signal) : calls.stock({ limit: 200, cursor }, signal)),
    3_000,
    [searched],
  );
  const rows = list.rows.filter((s) => s.sku.toLowerCase().includes(text)).sort(sorted[by]);
  const columns: Column<Stock>[] = [
    { id: "sku", head: t.sku, cell: (s) => <SkuLink sku={s.sku} /> },
    { id: "onhand", head: t.onHand, width: "84px", num: true, cell: (s) => count(s.on_hand) },
    {
      id: "reserved",
      head: t.reserved,
      width: "84px",
      num: true,
      cell: (s) => (s.reserved ? count(s.reserved) : none),
    },
    {
      id: "available",
      head: t.available,
      width: "84px",
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
      {searched && !list.whole && (
        <div class="note" role="status">
          {t.ofFirst(count(list.rows.length))}
        </div>
      )}
      <ListPage
        label={t.inventory}
        list={list}
        rows={rows}
        columns={columns}
        id={(s) => s.sku}
        open={(s) => go(["inventory", s.sku])}
        topAlone={searched}
        clears={["text"]}
      >
        <input
          type="search"
          aria-label={t.sku}
          placeholder={t.skuHas}
          value={q.text ?? ""}
          onInput={(e) => filter({ text: e.currentTarget.value })}
        />
      </ListPage>
    </>
  );
}
