// Server-sent events over fetch: EventSource can't send the key in a header, and a key in a URL ends up
// in logs. Comes again by itself, from the last id, with a pause that grows.
import { address, credentials, get, Problem, problemOf, Unreachable, type Query } from "./http";
import { keyRefused } from "../live/session";
import { heard, unheard } from "../live/link";

export interface Frame {
  id: string;
  event: string;
  data: string;
}
export interface Listener {
  frame(f: Frame): void;
  /** The server refused for good (403, 404, 410): the stream does not come again. One from `latest`
   * on does, at the new end, where its place is in the feed no more. */
  refused?(why: Problem): void;
  /** True: connected; false: it will be tried again. */
  open?(is: boolean): void;
}

const pauseFirst = 500,
  pauseMax = 8_000,
  quietMax = 40_000; // ms; the server says something every 15 s

/** Splits text into frames as it comes (WHATWG HTML §9.2.6). Comments and `retry` are passed over. */
export class FrameReader {
  private rest = "";
  private id = "";
  take(text: string): Frame[] {
    const blocks = (this.rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map((b) => this.parse(b)).filter((f) => f !== null);
  }
  private parse(block: string): Frame | null {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      const name = line.slice(0, colon);
      if (name === "id") this.id = value;
      else if (name === "event") event = value;
      else if (name === "data") data.push(value);
    }
    return data.length || event !== "message" ? { id: this.id, event, data: data.join("\n") } : null;
  }
}

/** Listens until the returned function is called. */
export function listen(path: string, query: Query, to: Listener): () => void {
  let last = "";
  let stopped = false;
  let pause = pauseFirst;
  let current = new AbortController();
  let timer = 0;

  async function once(): Promise<void> {
    current = new AbortController();
    const watch = new QuietWatch(() => current.abort());
    try {
      // "latest" is another place at each try: what came between two would be missed.
      if (!last && query.after === "latest") last = await endOf(path, query, current.signal);
      const answer = await fetch(address(path, query), {
        headers: {
          Accept: "text/event-stream",
          ...credentials(),
          ...(last ? { "Last-Event-ID": last } : {}),
        },
        cache: "no-store",
        signal: current.signal,
      });
      heard();
      if (answer.status === 401) keyRefused();
      if (!answer.ok || !answer.body) throw await problemOf(answer);
      to.open?.(true);
      pause = pauseFirst;
      const frames = new FrameReader();
      const text = new TextDecoder();
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || stopped) return;
        watch.heard();
        for (const f of frames.take(text.decode(value, { stream: true }))) {
          if (f.id) last = f.id;
          to.frame(f);
        }
      }
    } finally {
      watch.stop();
    }
  }

  async function forever(): Promise<void> {
    try {
      await once();
    } catch (why) {
      if (stopped) return;
      const gone = why instanceof Problem && ["cursor-expired", "invalid-cursor"].includes(why.code);
      const forGood = why instanceof Problem && why.status < 500 && why.status !== 429;
      if (gone && last && query.after === "latest") last = "";
      else if (forGood) return to.refused?.(why);
      if (!(why instanceof Problem || why instanceof Unreachable)) unheard();
    }
    if (stopped) return;
    to.open?.(false);
    timer = window.setTimeout(() => void forever(), pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, pauseMax);
  }

  void forever();
  return () => {
    stopped = true;
    clearTimeout(timer);
    current.abort();
  };
}

/** Where the feed ends now, as an id to go on from. */
async function endOf(path: string, query: Query, signal: AbortSignal): Promise<string> {
  const page = await get<{ next_cursor: string | null }>(path, { ...query, limit: 1 }, signal);
  return page.next_cursor ?? "";
}

/** Calls back when nothing was heard for too long: a connection that died without a word. */
class QuietWatch {
  private timer = 0;
  constructor(private readonly tooLong: () => void) {
    this.heard();
  }
  heard(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(this.tooLong, quietMax);
  }
  stop(): void {
    clearTimeout(this.timer);
  }
}
