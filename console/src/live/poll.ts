// One scheduler for all that is asked again and again: nothing while the page is hidden, one question at a
// time for each view, with a pause that grows while the server does not answer.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { signal, type ReadonlySignal } from "@preact/signals";
import { paint } from "./paint";
import { link } from "./link";

export interface Live<T> {
  data: T | undefined; // the last good answer, kept while a later one fails
  error: unknown; // of the last answer; undefined when it was good
  at: number; // when `data` came; ms since 1970
  busy: boolean; // the first answer is awaited
}
type Fetcher<T> = (signal: AbortSignal) => Promise<T>;

const pauseMax = 10_000; // ms

class Poll<T> {
  readonly state = signal<Live<T>>({ data: undefined, error: undefined, at: 0, busy: true });
  private timer = 0;
  private running: AbortController | undefined;
  private failures = 0;
  private over = false;
  constructor(
    private readonly fetcher: () => Fetcher<T>,
    private readonly every: number,
  ) {}

  start(): () => void {
    document.addEventListener("visibilitychange", this.seen);
    void this.ask();
    return () => {
      this.over = true;
      document.removeEventListener("visibilitychange", this.seen);
      clearTimeout(this.timer);
      this.running?.abort();
    };
  }
  /** Asks now; what is under way is given up. */
  readonly ask = async (): Promise<void> => {
    clearTimeout(this.timer);
    this.running?.abort();
    const mine = (this.running = new AbortController());
    try {
      const data = await this.fetcher()(mine.signal);
      if (this.over || mine.signal.aborted) return;
      this.failures = 0;
      paint(() => {
        this.state.value = { data, error: undefined, at: Date.now(), busy: false };
      });
    } catch (error) {
      if (this.over || mine.signal.aborted) return;
      this.failures++;
      paint(() => {
        this.state.value = { ...this.state.value, error, busy: false };
      });
    }
    this.plan();
  };
  private plan(): void {
    if (this.over || document.hidden || this.every === 0) return;
    const pause = Math.min(this.every * 2 ** Math.min(this.failures, 5), Math.max(pauseMax, this.every));
    this.timer = window.setTimeout(
      () => void this.ask(),
      link.value.state === "lost" ? Math.min(pause, 2_000) : pause,
    );
  }
  private readonly seen = (): void => {
    if (document.hidden) clearTimeout(this.timer);
    else if (Date.now() - this.state.value.at >= this.every && this.every > 0) void this.ask();
    else this.plan();
  };
}

/** Asks now and every `every` ms (0: once) while the component is there; anew when `deps` change. */
export function usePoll<T>(
  fetcher: Fetcher<T>,
  every: number,
  deps: readonly unknown[],
): { live: ReadonlySignal<Live<T>>; refresh: () => void } {
  const latest = useRef(fetcher);
  latest.current = fetcher;
  const poll = useMemo(() => new Poll<T>(() => latest.current, every), deps);
  useEffect(() => poll.start(), [poll]);
  return { live: poll.state, refresh: () => void poll.ask() };
}
