// The words of the page. English is the dictionary's type: a key that Korean lacks does not compile.
import { effect, signal } from "@preact/signals";
import { en } from "./en";
import { ko } from "./ko";

export type Words = typeof en;
export type Language = "en" | "ko";

const slot = "jumun.language";
const first = (): Language => {
  const chosen = localStorage.getItem(slot) ?? navigator.language;
  return chosen.startsWith("ko") ? "ko" : "en";
};
export const language = signal<Language>(first());
effect(() => {
  localStorage.setItem(slot, language.value);
  document.documentElement.lang = language.value;
});

/** `t.orders`: the word in the language of now; what reads it is drawn again when that changes. */
export const t: Words = new Proxy({} as Words, {
  get: (_, word) => (language.value === "ko" ? ko : en)[word as keyof Words],
});

/** The word for a name that the server gives; the name itself where there is none (a newer server). */
export function named(table: Record<string, string>, name: string): string {
  return table[name] ?? name.replaceAll("_", " ");
}
