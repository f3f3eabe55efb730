import { useEffect, useState } from "preact/hooks";
import { filter, place } from "../lib/router";

/** A filter of the view that lives in the URL; taken over when it is left, or at Enter. */
export function FilterField({
  name,
  label,
  hint,
  pattern,
}: {
  name: string;
  label: string;
  hint?: string;
  pattern?: RegExp;
}) {
  const set = place.value.query[name] ?? "";
  const [text, setText] = useState(set);
  useEffect(() => setText(set), [set]);
  const wrong = text !== "" && pattern !== undefined && !pattern.test(text.trim());
  const take = () => {
    if (!wrong && text.trim() !== set) filter({ [name]: text.trim() });
  };
  return (
    <input
      type="search"
      aria-label={label}
      aria-invalid={wrong}
      placeholder={hint ? `${label} (${hint})` : label}
      value={text}
      spellcheck={false}
      onInput={(e) => setText(e.currentTarget.value)}
      onBlur={take}
      onSearch={take}
      onKeyDown={(e) => {
        if (e.key === "Enter") take();
      }}
    />
  );
}
