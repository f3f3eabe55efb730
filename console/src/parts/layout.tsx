import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** The view's title: where the focus goes when the view opens, so that a screen reader says it. */
export function ViewHead({
  title,
  note,
  children,
}: {
  title: ComponentChildren;
  note?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${head.current?.textContent ?? ""} · Jumun`;
  });
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null)
      head.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="viewhead">
      <h1 ref={head} tabIndex={-1}>
        {title}
      </h1>
      {note && <p>{note}</p>}
      {children && <div class="end">{children}</div>}
    </div>
  );
}

export function Card({
  title,
  end,
  children,
  bare = false,
  class: extra = "",
}: {
  title?: ComponentChildren;
  end?: ComponentChildren;
  children: ComponentChildren;
  bare?: boolean;
  class?: string;
}) {
  return (
    <section class={`card ${extra}`}>
      {(title || end) && (
        <header>
          {title && <h2>{title}</h2>}
          {end && <div class="end">{end}</div>}
        </header>
      )}
      {bare ? children : <div class="body">{children}</div>}
    </section>
  );
}

export function Tile({
  name,
  value,
  unit,
  sub,
  tone = "",
  href,
}: {
  name: string;
  value: ComponentChildren;
  unit?: string;
  sub?: ComponentChildren;
  tone?: "" | "bad" | "warn";
  href?: string;
}) {
  const inside = (
    <>
      <span class="name">{name}</span>
      <span class="value">
        {value}
        {unit && <small>{unit}</small>}
      </span>
      <span class="sub">{sub ?? "\u00a0"}</span>
    </>
  );
  return href ? (
    <a class={`tile ${tone}`} href={href}>
      {inside}
    </a>
  ) : (
    <div class={`tile ${tone}`}>{inside}</div>
  );
}

export function Facts({
  rows,
}: {
  rows: (readonly [string, ComponentChildren] | null | false | "" | undefined)[];
}) {
  return (
    <dl class="facts">
      {rows
        .filter((r) => !!r)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  );
}

/** A bar for each row, to compare them; links where there is more to see. */
export function Bars({
  rows,
}: {
  rows: { name: ComponentChildren; value: number; text: string; href?: string }[];
}) {
  const most = Math.max(1, ...rows.map((r) => r.value));
  return (
    <div class="bars-list">
      {rows.map((r, i) => {
        const inside = (
          <>
            <span>{r.name}</span>
            <span class="track" aria-hidden="true">
              {r.value > 0 && <i style={{ width: `max(2px, ${(r.value / most) * 100}%)` }} />}
            </span>
            <span class="num">{r.text}</span>
          </>
        );
        return r.href ? (
          <a key={i} href={r.href}>
            {inside}
          </a>
        ) : (
          <div key={i} class="item">
            {inside}
          </div>
        );
      })}
    </div>
  );
}
