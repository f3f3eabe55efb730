// A native table that draws only the rows in sight, so that 50,000 of them cost what 40 do.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../text";

export interface Column<R> {
  id: string;
  head: ComponentChildren;
  cell: (row: R) => ComponentChildren;
  width?: string; // of CSS; the rest share what is left
  num?: boolean; // figures, to the right
  show?: "wide" | "extra"; // left out on narrow screens; and on middling ones
}
interface Props<R> {
  label: string;
  columns: Column<R>[];
  rows: readonly R[];
  id: (row: R) => string;
  open?: (row: R) => void; // a click anywhere in the row; its first cell has the link for the keyboard
  selected?: string;
  empty?: ComponentChildren;
  more?: () => void; // called when the end comes in sight
  tall?: boolean; // scrolls inside itself
  level?: (row: R) => number; // of a tree
}

const rowHeight = 34; // --row
const beyond = 10; // rows drawn out of sight, so that the arrow keys find the next one

const columnClass = (c: { num?: boolean; show?: string }) =>
  `${c.num ? "num" : ""} ${c.show ? `col-${c.show}` : ""}`;

export function Table<R>(p: Props<R>) {
  const box = useRef<HTMLDivElement>(null);
  const [span, setSpan] = useState({ from: 0, to: 60 });

  function look(): void {
    const el = box.current;
    if (!el) return;
    const from = Math.max(0, Math.floor(el.scrollTop / rowHeight) - beyond);
    const to = Math.ceil((el.scrollTop + el.clientHeight) / rowHeight) + beyond;
    // In steps, so that a small scroll draws nothing.
    const next = { from: from - (from % 5), to: to + 5 - (to % 5) };
    if (next.from !== span.from || next.to !== span.to) setSpan(next);
    if (p.more && to >= p.rows.length) p.more();
  }
  useLayoutEffect(look);

  function arrows(e: KeyboardEvent): void {
    const step = e.key === "ArrowDown" || e.key === "j" ? 1 : e.key === "ArrowUp" || e.key === "k" ? -1 : 0;
    const row = (e.target as HTMLElement).closest("tr[aria-rowindex]");
    if (step === 0 || !row || e.ctrlKey || e.metaKey || e.altKey) return;
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    const link = next?.querySelector<HTMLElement>("a, button");
    if (!link) return;
    e.preventDefault();
    link.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }
  function click(e: MouseEvent, row: R): void {
    if (!p.open || (e.target as HTMLElement).closest("a, button, input")) return;
    if (!getSelection()?.toString()) p.open(row);
  }

  const shown = p.tall ? p.rows.slice(span.from, span.to) : p.rows;
  const from = p.tall ? Math.min(span.from, p.rows.length) : 0;
  const behind = p.rows.length - from - shown.length;
  const spacer = (n: number) =>
    n > 0 && (
      <tr class="space" aria-hidden="true">
        <td colSpan={p.columns.length} style={{ height: `${n * rowHeight}px` }} />
      </tr>
    );
  return (
    <div
      class={`table ${p.tall ? "tall" : ""}`}
      ref={box}
      onScroll={look}
      onKeyDown={arrows}
      tabIndex={0}
      role="region"
      aria-label={p.label}
    >
      <table aria-label={p.label} aria-rowcount={p.rows.length + 1} style={{ tableLayout: "fixed" }}>
        <colgroup>
          {p.columns.map((c) => (
            <col key={c.id} class={columnClass(c)} style={{ width: c.width ?? "auto" }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {p.columns.map((c) => (
              <th key={c.id} scope="col" class={columnClass(c)}>
                {c.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {spacer(from)}
          {shown.map((row, i) => (
            <tr
              key={p.id(row)}
              aria-rowindex={from + i + 2}
              class={p.open ? "opens" : ""}
              aria-selected={p.selected === undefined ? undefined : p.selected === p.id(row)}
              onClick={(e) => click(e, row)}
            >
              {p.columns.map((c) => (
                <td key={c.id} class={columnClass(c)}>
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {spacer(behind)}
        </tbody>
      </table>
      {p.rows.length === 0 && <div class="empty">{p.empty ?? t.nothing}</div>}
    </div>
  );
}
