// A long list, page by page. Its first page is live until more is asked for: rows that move under the
// reader's eyes help nobody, so the list then stands still and says so.
import { useMemo, useState } from "preact/hooks";
import type { Page } from "../api/shapes";
import { usePoll } from "./poll";

type PageFetcher<T> = (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>;
export interface Pages<T> {
  rows: T[];
  page: Page<T> | undefined; // the newest, for what is missing from it
  busy: boolean;
  error: unknown;
  still: boolean; // no longer live
  whole: boolean; // there is no more
  more: () => void;
  refresh: () => void;
}

interface Further<T> {
  pages: Page<T>[];
  first: Page<T>;
}

export function usePages<T>(fetch: PageFetcher<T>, every: number, deps: readonly unknown[]): Pages<T> {
  const [further, setFurther] = useState<Further<T> | null>(null);
  const [error, setError] = useState<unknown>();
  const loading = useMemo(() => ({ now: false }), deps);
  const poll = usePoll(
    (signal) => (further ? Promise.resolve(further.first) : fetch(undefined, signal)),
    every,
    deps,
  );
  useMemo(() => {
    setFurther(null);
    setError(undefined);
  }, deps);

  const first = further?.first ?? poll.live.value.data;
  const last = further?.pages.at(-1) ?? first;
  const rows = useMemo(
    () => (first ? [...first.data, ...(further?.pages ?? []).flatMap((p) => p.data)] : []),
    [first, further],
  );

  async function load(): Promise<void> {
    if (loading.now || !first || !last?.next_cursor) return;
    loading.now = true;
    try {
      const next = await fetch(last.next_cursor);
      setFurther((f) => ({ first: f?.first ?? first, pages: [...(f?.pages ?? []), next] }));
      setError(undefined);
    } catch (why) {
      setError(why);
    } finally {
      loading.now = false;
    }
  }
  return {
    rows,
    page: last,
    busy: poll.live.value.busy,
    error: error ?? poll.live.value.error,
    still: further !== null,
    whole: !last?.next_cursor,
    more: () => void load(),
    refresh: () => {
      setFurther(null);
      poll.refresh();
    },
  };
}
