// Who looks: the key (this tab's memory only, never in a URL), and what the server lets its owner do.
import { signal } from "@preact/signals";
import type { Permission, Whoami } from "../api/shapes";

const slot = "jumun.key";
export const key = signal(sessionStorage.getItem(slot) ?? "");
/** null: not known yet. */
export const who = signal<Whoami | null>(null);
export const asksForKey = signal(false);

export function enterKey(text: string): void {
  key.value = text;
  sessionStorage.setItem(slot, text);
  asksForKey.value = false;
}
export function forgetKey(): void {
  sessionStorage.removeItem(slot);
  key.value = "";
  keyRefused();
}
/** The server answered 401. */
export function keyRefused(): void {
  who.value = null;
  asksForKey.value = true;
}

/** What each button asks before it is shown; the server decides all the same. */
export const may = (what: Permission): boolean => who.value?.may.includes(what) ?? false;
