import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { calls } from "../api/calls";
import { listen } from "../api/stream";
import type { JumunEvent, Money } from "../api/shapes";
import { filter, place } from "../lib/router";
import { count, money } from "../lib/format";
import { paint } from "../live/paint";
import { usePages } from "../live/pages";
import { Card, ViewHead } from "../parts/layout";
import { Modal } from "../parts/dialog";
import { FilterField } from "../parts/filter_field";
import { Icon } from "../parts/icons";
import { Json } from "../parts/json";
import { KeyLink, OrderLink } from "../parts/links";
import { ListFoot } from "../parts/list_foot";
import { PartialNote, ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Moment } from "../parts/time";
import { t } from "../text";

const topics = ["orders", "payments", "inventory", "deliveries"];
const kept = 2_000; // newest events in memory
const readablePerSecond = 400; // above it nobody reads along: a sample is shown, and costs the server little
const sampleMs = 1_000,
  samplePause = 150;

/** An event as it came; parsed only when its row is drawn. */
class Row {
  private parsed: JumunEvent | undefined;
  constructor(readonly text: string) {}
  get event(): JumunEvent {
    return (this.parsed ??= JSON.parse(this.text) as JumunEvent);
  }
}

interface Tail {
  rows: Row[];
  sampled: boolean;
  seen: number;
  error: unknown;
  open: boolean;
}

/** The newest events, newest first. Every one of them while a person could follow, a sample above that. */
function useTail(topic: string | undefined, key: string | undefined, paused: boolean) {
  const tail = useRef(signal<Tail>({ rows: [], sampled: false, seen: 0, error: undefined, open: false }));
  const stopped = useRef(paused);
  stopped.current = paused;
  useEffect(() => {
    const state = tail.current;
    state.value = { rows: [], sampled: false, seen: 0, error: undefined, open: false };
    let waiting: Row[] = [];
    let thisSecond = 0;
    let stop = () => {};
    function take(rows: Row[]): void {
      if (stopped.current) return;
      if (waiting.push(...rows) > rows.length) return; // a frame is asked for already
      paint(() => {
        const s = state.value;
        state.value = {
          ...s,
          seen: s.seen + waiting.length,
          rows: [...waiting.reverse(), ...s.rows].slice(0, kept),
        };
        waiting = [];
      });
    }
    function follow(): void {
      const end = listen(
        "/v1/events",
        { topic, key, after: "latest" },
        {
          frame(f) {
            if (f.event === "drain") return;
            thisSecond++;
            take([new Row(f.data)]);
          },
          open(open) {
            paint(() => {
              state.value = { ...state.value, open };
            });
          },
          refused(error) {
            paint(() => {
              state.value = { ...state.value, error };
            });
          },
        },
      );
      const watch = setInterval(() => {
        if (thisSecond > readablePerSecond) {
          stop();
          sample();
        }
        thisSecond = 0;
      }, 1_000);
      stop = () => {
        end();
        clearInterval(watch);
      };
    }
    function sample(): void {
      state.value = { ...state.value, sampled: true };
      const over = new AbortController();
      const once = async () => {
        if (document.hidden || stopped.current) return;
        try {
          const { next_cursor } = await calls.events({ topic, key, after: "latest", limit: 1 }, over.signal);
          await new Promise((go) => setTimeout(go, samplePause));
          const page = await calls.events({ topic, key, after: next_cursor, limit: 50 }, over.signal);
          take(page.data.map((e) => new Row(JSON.stringify(e))));
          if (page.data.length === 0) {
            stop();
            state.value = { ...state.value, sampled: false };
            follow();
          }
        } catch {
          /* the link says so; the next turn tries again */
        }
      };
      const timer = setInterval(() => void once(), sampleMs);
      stop = () => {
        over.abort();
        clearInterval(timer);
      };
    }
    follow();
    return () => stop();
  }, [topic, key]);
  return tail.current;
}

const columns = (): Column<Row>[] => [
  { id: "time", head: t.time, width: "112px", cell: ({ event: e }) => <Moment at={e.time} /> },
  {
    id: "type",
    head: t.event,
    width: "140px",
    cell: ({ event: e }) => <strong class="type">{e.type}</strong>,
  },
  { id: "key", head: t.key, width: "108px", cell: ({ event: e }) => <KeyLink of={e.partitionkey} /> },
  { id: "seq", head: "#", width: "56px", num: true, show: "wide", cell: ({ event: e }) => e.sequence },
  { id: "topic", head: t.topic, width: "96px", show: "wide", cell: ({ event: e }) => e.topic },
  {
    id: "data",
    head: t.payload,
    show: "wide",
    cell: ({ event: e }) => <span class="mono quiet">{brief(e.data)}</span>,
  },
  {
    id: "cursor",
    head: t.offset,
    width: "120px",
    num: true,
    show: "extra",
    cell: ({ event: e }) => (
      <button class="button tiny plain" onClick={() => filter({ after: e.cursor })} title={t.fromHere}>
        {e.cursor.length > 14 ? `${e.cursor.slice(0, 12)}…` : e.cursor}
      </button>
    ),
  },
];
const isMoney = (v: unknown): v is Money => typeof v === "object" && v !== null && "currency" in v;
function brief(data: Record<string, unknown>): string {
  const told = (v: unknown): string =>
    isMoney(v) ? money(v) : typeof v === "object" ? JSON.stringify(v) : String(v);
  return Object.entries(data)
    .filter(([name]) => name !== "order_id")
    .map(([name, v]) => `${name}=${told(v)}`)
    .join("  ");
}

export function EventsView() {
  const q = place.value.query;
  const [shown, setShown] = useState<JumunEvent | null>(null);
  return (
    <>
      <ViewHead title={t.events}>
        <nav class="segments" aria-label={t.topic}>
          {["", ...topics].map((x) => (
            <button key={x} aria-pressed={x === (q.topic ?? "")} onClick={() => filter({ topic: x })}>
              {x || t.allTopics}
            </button>
          ))}
        </nav>
      </ViewHead>
      <div class="filters" role="search" aria-label={t.filters}>
        <FilterField name="key" label={t.keyFilter} />
        <FilterField name="text" label={t.textIn} />
        <FilterField name="after" label={t.offsetFilter} />
        {(q.key || q.text || q.after) && (
          <button class="button plain" onClick={() => filter({ key: "", text: "", after: "" })}>
            {q.after ? t.backToTail : t.clear}
          </button>
        )}
      </div>
      {q.after ? <FromOffset after={q.after} show={setShown} /> : <TailList show={setShown} />}
      {shown && (
        <Modal title={`${shown.type} · ${shown.partitionkey}`} wide close={() => setShown(null)}>
          <Json value={shown} label={t.payload} />
          <div class="buttons">
            {/^ord_/.test(shown.partitionkey) && <OrderLink id={shown.partitionkey} whole />}
            <button class="button" onClick={() => setShown(null)} autoFocus>
              {t.close}
            </button>
          </div>
        </Modal>
      )}
    </>
  );
}

function TailList({ show }: { show: (e: JumunEvent) => void }) {
  const q = place.value.query;
  const [paused, setPaused] = useState(false);
  const tail = useTail(q.topic, q.key, paused).value;
  const text = (q.text ?? "").toLowerCase();
  const rows = text ? tail.rows.filter((r) => r.text.toLowerCase().includes(text)) : tail.rows;
  return (
    <>
      <ProblemNote of={tail.error} />
      {tail.sampled && !paused && (
        <div class="note" role="status">
          {t.sampled(readablePerSecond)}
        </div>
      )}
      <Card
        bare
        title={
          <>
            {t.tail} <span class="quiet figures">{t.seenN(count(tail.seen))}</span>
          </>
        }
        end={
          <button class="button tiny" aria-pressed={paused} onClick={() => setPaused(!paused)}>
            <Icon name={paused ? "play" : "pause"} />
            {paused ? t.goOn : t.pause}
          </button>
        }
      >
        <Table
          label={t.events}
          tall
          columns={columns()}
          rows={rows}
          id={(r) => r.event.id}
          open={(r) => show(r.event)}
          empty={tail.open ? t.waitingForEvents : t.loading}
        />
      </Card>
    </>
  );
}

function FromOffset({ after, show }: { after: string; show: (e: JumunEvent) => void }) {
  const q = place.value.query;
  const list = usePages<Row>(
    async (cursor, signal) => {
      const page = await calls.events(
        { topic: q.topic, key: q.key, after: cursor ?? after, limit: 100 },
        signal,
      );
      return {
        ...page,
        data: page.data.map((e) => new Row(JSON.stringify(e))),
        next_cursor: page.data.length ? page.next_cursor : null,
      };
    },
    0,
    [after, q.topic, q.key],
  );
  const text = (q.text ?? "").toLowerCase();
  const rows = text ? list.rows.filter((r) => r.text.toLowerCase().includes(text)) : list.rows;
  return (
    <>
      <ProblemNote of={list.error} />
      <PartialNote page={list.page} />
      <Card bare title={t.fromOffset(after.slice(0, 24))}>
        <Table
          label={t.events}
          tall
          columns={columns()}
          rows={rows}
          id={(r) => r.event.id}
          more={list.more}
          open={(r) => show(r.event)}
          empty={list.busy ? t.loading : t.nothing}
        />
        <ListFoot list={list} />
      </Card>
    </>
  );
}
