// Paste any id: an order's, payment's, delivery's, event's, a trace id, an actor's name, a SKU, a customer.
import { useRef, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Found } from "../api/shapes";
import { recognise } from "../lib/ids";
import { go, href } from "../lib/router";
import { Modal } from "./dialog";
import { ProblemNote } from "./problem";
import { t } from "../text";

function placeOf(f: Found): { path: string[]; query?: Record<string, string> } {
  if (f.order_id) return { path: ["orders", f.order_id] };
  if (f.kind === "actor") return { path: ["actors", f.actor ?? f.id] };
  if (f.sku) return { path: ["inventory", f.sku] };
  if (f.kind === "customer") return { path: ["orders"], query: { customer: f.id } };
  return { path: ["events"], query: { key: f.id } };
}

export function Finder() {
  const box = useRef<HTMLInputElement>(null);
  const [found, setFound] = useState<Found[] | null>(null);
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState("");

  async function find(e: Event) {
    e.preventDefault();
    const text = box.current!.value.trim();
    if (!text) return;
    const known = recognise(text);
    setAsked(known.kind === "unknown" ? text : known.id);
    if (known.kind === "order") return open({ path: ["orders", known.id] });
    if (known.kind === "actor") return open({ path: ["actors", known.id] });
    try {
      const { data } = await calls.find(known.kind === "unknown" ? text : known.id);
      setError(undefined);
      if (data.length === 1) open(placeOf(data[0]!));
      else setFound(data);
    } catch (why) {
      setError(why);
      setFound([]);
    }
  }
  function open(to: { path: string[]; query?: Record<string, string> }) {
    setFound(null);
    box.current!.value = "";
    box.current!.blur();
    go(to.path, to.query);
  }
  return (
    <form class="find" role="search" onSubmit={(e) => void find(e)}>
      <input
        ref={box}
        id="find"
        type="search"
        aria-label={t.find}
        placeholder={t.findHint}
        spellcheck={false}
        autocomplete="off"
      />
      <kbd aria-hidden="true">/</kbd>
      {found && (
        <Modal title={t.foundN(found.length, asked)} close={() => setFound(null)}>
          <ProblemNote of={error} />
          {!found.length && !error && <p class="quiet">{t.foundNothing}</p>}
          <ul class="stack tight">
            {found.map((f) => {
              const to = placeOf(f);
              return (
                <li key={f.kind + f.id + (f.order_id ?? "")}>
                  <a href={href(to.path, to.query)} onClick={() => setFound(null)}>
                    {f.what}
                  </a>{" "}
                  <span class="quiet">
                    {f.kind} · {f.node}
                  </span>
                </li>
              );
            })}
          </ul>
          <div class="buttons">
            <button type="button" class="button" onClick={() => setFound(null)}>
              {t.close}
            </button>
          </div>
        </Modal>
      )}
    </form>
  );
}
