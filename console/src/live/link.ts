// Whether the server is heard. One signal for the whole page, so that all views say the same.
import { signal } from "@preact/signals";

export interface Link {
  state: "live" | "lost" | "back" | "restarted";
  since: number; // ms since 1970
  node?: string; // that was restarted
}
export const link = signal<Link>({ state: "live", since: Date.now() });

let misses = 0;
const missesMax = 2; // one lost answer may be chance
const newsShown = 8_000; // ms that good news stays

function say(state: "back" | "restarted", node?: string): void {
  const said = (link.value = { state, since: Date.now(), node });
  setTimeout(() => {
    if (link.value === said) link.value = { state: "live", since: Date.now() };
  }, newsShown);
}

export function heard(): void {
  misses = 0;
  if (link.value.state === "lost") say("back");
}
export function unheard(): void {
  if (++misses >= missesMax && link.value.state !== "lost") link.value = { state: "lost", since: Date.now() };
}

const starts = new Map<string, string>();
/** A node says when its process began: another time than before means that it was restarted. */
export function started(node: string, at: string): void {
  const before = starts.get(node);
  starts.set(node, at);
  if (before !== undefined && before !== at) say("restarted", node);
}
