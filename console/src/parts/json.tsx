import type { ComponentChildren } from "preact";

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\b/g;

/** A value as JSON, with its parts told apart by colour. */
export function Json({ value, label }: { value: unknown; label: string }) {
  const text = JSON.stringify(value, null, 2);
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const m of text.matchAll(token)) {
    parts.push(text.slice(end, m.index));
    parts.push(<span class={m[2] ? "k" : m[1] ? "s" : "n"}>{m[1] ?? m[3]}</span>, m[2] ?? "");
    end = m.index + m[0].length;
  }
  parts.push(text.slice(end));
  return (
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {parts}
    </pre>
  );
}
