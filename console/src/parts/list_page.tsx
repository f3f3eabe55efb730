import type { ComponentChildren } from "preact";
import { filter, place } from "../lib/router";
import type { Pages } from "../live/pages";
import { Card } from "./layout";
import { ListFoot } from "./list_foot";
import { PartialNote, ProblemNote } from "./problem";
import { Table, type Column } from "./table";
import { t } from "../text";

interface Props<R> {
  label: string;
  list: Pages<R>;
  rows?: readonly R[]; // what is shown of the list, where that is not all of it
  columns: Column<R>[];
  id: (row: R) => string;
  open?: (row: R) => void;
  empty?: string;
  topAlone?: boolean; // there is no more than the first page
  /** The filters, and their names in the URL, for the button that clears them. */
  children: ComponentChildren;
  clears: readonly string[];
}

/** A view that is one list: its filters, what is wrong or missing, its rows, and how much of it is here. */
export function ListPage<R>(p: Props<R>) {
  const set = p.clears.filter((name) => place.value.query[name]);
  return (
    <>
      <div class="filters" role="search" aria-label={t.filters}>
        {p.children}
        {set.length > 0 && (
          <button
            class="button plain"
            onClick={() => filter(Object.fromEntries(set.map((name) => [name, ""])))}
          >
            {t.clear}
          </button>
        )}
      </div>
      <ProblemNote of={p.list.error} />
      <PartialNote page={p.list.page} />
      <Card bare>
        <Table
          label={p.label}
          tall
          columns={p.columns}
          rows={p.rows ?? p.list.rows}
          id={p.id}
          more={p.topAlone ? undefined : p.list.more}
          open={p.open}
          empty={p.list.busy ? t.loading : (p.empty ?? t.nothing)}
        />
        <ListFoot list={p.list} />
      </Card>
    </>
  );
}
