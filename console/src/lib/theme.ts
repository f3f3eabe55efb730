import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const slot = "jumun.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const stored = localStorage.getItem(slot);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "auto");
/** Rises when colours change, for what is painted on a canvas. */
export const painted = signal(0);

effect(() => {
  localStorage.setItem(slot, theme.value);
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  painted.value = painted.peek() + 1;
});
dark.addEventListener("change", () => {
  painted.value++;
});

/** A token's colour as the canvas takes it. */
export function colour(token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
