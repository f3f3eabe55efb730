// The place in the page is the URL's hash: `#/orders?state=blocked`. Each filter is in it, so that a link shows
// another person the same.
import { signal } from "@preact/signals";

export interface Place {
  path: string[]; // decoded segments
  query: Record<string, string>;
}

export function parsePlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return {
    path: path
      .split("/")
      .filter(Boolean)
      .map((s) => {
        try {
          return decodeURIComponent(s);
        } catch {
          return s;
        }
      }),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

type Values = Record<string, string | number | null | undefined>;
export function href(path: string[], query: Values = {}): string {
  const given = Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== "");
  const tail = new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${tail ? `?${tail}` : ""}`;
}

export const place = signal(parsePlace(location.hash));
addEventListener("hashchange", () => {
  place.value = parsePlace(location.hash);
});

export function go(path: string[], query: Values = {}): void {
  location.hash = href(path, query);
}
/** Changes filters of the view that is shown; the way back does not stop at each of them. */
export function filter(changes: Values): void {
  const next = href(place.value.path, { ...place.value.query, ...changes });
  history.replaceState(null, "", next);
  place.value = parsePlace(next);
}
