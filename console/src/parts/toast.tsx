import { signal } from "@preact/signals";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}
const shown = signal<Toast[]>([]);
const staysMs = 5_000;
let next = 1;

/** Says what was done, for a few seconds; read out as well. */
export function toast(text: string, bad = false): void {
  const id = next++;
  shown.value = [...shown.value.slice(-3), { id, text, bad }];
  setTimeout(() => {
    shown.value = shown.value.filter((x) => x.id !== id);
  }, staysMs);
}
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map((x) => (
        <div key={x.id} class={`toast ${x.bad ? "bad" : ""}`}>
          {x.text}
        </div>
      ))}
    </div>
  );
}
