import { useRef, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Backup, Figures } from "../api/shapes";
import { series } from "../live/overview";
import { usePoll } from "../live/poll";
import { Rates } from "../live/rates";
import { may, who } from "../live/session";
import { bytes, count, duration, short } from "../lib/format";
import { Card, Facts, Tile, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Confirm } from "../parts/dialog";
import { Plot } from "../parts/plot";
import { ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Ago } from "../parts/time";
import { toast } from "../parts/toast";
import { t } from "../text";

/** The upper bound of a histogram's bucket comes as text. */
function asNumber(value: unknown): number | null {
  const n = typeof value === "string" ? Number(value) : value;
  return typeof n === "number" && Number.isFinite(n) ? n : null;
}

export function StorageView() {
  const { live } = usePoll((signal) => calls.storage(signal), 2_000, []);
  const rates = useRef(new Rates());
  const { data, error, at } = live.value;
  const figure = (name: string): number | null => asNumber(data?.[name]);
  const perSecond = (name: string): number | null =>
    figure(name) === null ? null : rates.current.take(name, figure(name)!, at);
  const commits = perSecond("commits"),
    sets = perSecond("write_sets"),
    written = perSecond("bytes");
  const { times, columns } = series.value;
  return (
    <>
      <ViewHead title={t.storage} note={t.storageNote(who.value?.node ?? "")} />
      <ProblemNote of={error} />
      {figure("disk_nearly_full") === 1 && (
        <div class="problem" role="alert">
          <strong>{t.diskFull}</strong>
        </div>
      )}
      {data && (
        <div class="tiles">
          <Tile name={t.commits} value={short(commits)} unit="/s" sub={t.inAll(short(figure("commits")))} />
          <Tile
            name={t.setsPerCommit}
            value={commits && sets !== null ? (sets / commits).toFixed(1) : "–"}
            sub={t.largest(count(figure("largest_batch")))}
          />
          <Tile
            name={t.walWritten}
            value={written === null ? "–" : bytes(written)}
            unit="/s"
            sub={t.inAll(bytes(figure("bytes")))}
          />
          <Tile
            name={t.commitTime}
            value={`< ${duration(figure("commit_us_below_p50"))}`}
            sub={`p99 < ${duration(figure("commit_us_below_p99"))}`}
          />
        </div>
      )}
      <div class="columns">
        <Card title={t.plotCommit} class="w6">
          <Plot
            label={t.plotCommit}
            times={times}
            format={duration}
            lines={[
              { label: "p50", token: "--accent", values: columns.commit_p50_us },
              { label: "p99", token: "--warn", values: columns.commit_p99_us },
            ]}
          />
        </Card>
        <Card title={t.plotBatches} class="w6">
          <Plot
            label={t.plotBatches}
            times={times}
            format={short}
            lines={[
              {
                label: t.setsPerCommit,
                token: "--info",
                fill: true,
                values: columns.write_sets.map((w, i) =>
                  w !== null && columns.commits[i] ? w / columns.commits[i]! : null,
                ),
              },
            ]}
          />
        </Card>
        <div class="w6 stack">
          <Families figures={data ?? {}} />
          <Backups />
        </div>
        <div class="w6 stack">
          {data && <Engine figures={data} rate={perSecond} />}
          {data && <AllFigures figures={data} />}
        </div>
      </div>
    </>
  );
}

interface Family {
  name: string;
  figures: Record<string, number>;
}
/** `rocksdb.orders.file_bytes` is a figure of the column family `orders`. */
const ofFamily = /^rocksdb\.(\w+)\.(\w+)$/;

function families(figures: Figures): Family[] {
  const found = new Map<string, Family>();
  for (const [name, value] of Object.entries(figures)) {
    const [, family, figure] = name.match(ofFamily) ?? [];
    if (!family || !figure || typeof value !== "number") continue;
    const mine = found.get(family) ?? { name: family, figures: {} };
    mine.figures[figure] = value;
    found.set(family, mine);
  }
  const weight = (f: Family) => (f.figures.file_bytes ?? 0) * 1e6 + (f.figures.rows_estimated ?? 0);
  return [...found.values()].sort((a, b) => weight(b) - weight(a));
}

function Families({ figures }: { figures: Figures }) {
  const columns: Column<Family>[] = [
    { id: "name", head: t.family, cell: (f) => f.name.replaceAll("_", " ") },
    { id: "rows", head: t.rows, width: "90px", num: true, cell: (f) => short(f.figures.rows_estimated) },
    { id: "files", head: t.onDisk, width: "96px", num: true, cell: (f) => bytes(f.figures.file_bytes) },
    { id: "memory", head: t.inMemory, width: "96px", num: true, cell: (f) => bytes(f.figures.memory_bytes) },
    {
      id: "pending",
      head: t.toCompact,
      width: "96px",
      num: true,
      show: "wide",
      cell: (f) => bytes(f.figures.compaction_pending_bytes),
    },
  ];
  return (
    <Card title={t.families} bare>
      <Table label={t.families} columns={columns} rows={families(figures)} id={(f) => f.name} />
    </Card>
  );
}

const engine = new Set(
  [
    "wal_bytes_written",
    "wal_syncs",
    "writes_stopped",
    "write_rate_delayed",
    "writes_slowed",
    "writes_held_up",
    "write_stall_us",
    "compactions_running",
    "flushes_running",
    "background_errors",
  ].map((name) => `rocksdb.${name}`),
);
/** The write-ahead log, compactions, and whether they keep writers waiting. */
function Engine({ figures, rate }: { figures: Figures; rate: (name: string) => number | null }) {
  const of = (name: string) => asNumber(figures[`rocksdb.${name}`]);
  const pending = families(figures).reduce((sum, f) => sum + (f.figures.compaction_pending_bytes ?? 0), 0);
  const stopped = of("writes_stopped") === 1,
    slowed = (of("write_rate_delayed") ?? 0) > 0;
  return (
    <Card
      title={t.engine}
      end={
        <span class={`chip ${stopped ? "bad" : slowed ? "warn" : "good"}`}>
          {stopped ? t.writesStopped : slowed ? t.writesSlowed : t.writesFree}
        </span>
      }
    >
      <Facts
        rows={[
          [t.walBytes, `${bytes(of("wal_bytes_written"))}, ${bytes(rate("rocksdb.wal_bytes_written"))}/s`],
          [t.walSyncs, `${count(of("wal_syncs"))}, ${short(rate("rocksdb.wal_syncs"))}/s`],
          [t.compactions, count(of("compactions_running"))],
          [t.toCompact, bytes(pending)],
          [t.flushes, count(of("flushes_running"))],
          [t.stallTime, duration(of("write_stall_us"))],
          [t.stalls, t.slowedAndHeld(count(of("writes_slowed")), count(of("writes_held_up")))],
          [t.backgroundErrors, count(of("background_errors"))],
        ]}
      />
    </Card>
  );
}

const looksLikeBytes = /bytes|size|memory|usage|cache|capacity/;
function AllFigures({ figures }: { figures: Figures }) {
  const told = (name: string, value: unknown): string => {
    const n = asNumber(value);
    if (n === null) return String(value);
    if (/_us(_|$)/.test(name)) return duration(n);
    return looksLikeBytes.test(name) ? bytes(n) : count(n);
  };
  const rest = Object.entries(figures).filter(([name]) => !ofFamily.test(name) && !engine.has(name));
  return (
    <Card title={t.otherFigures}>
      <Facts
        rows={rest.map(
          ([name, value]) => [name.replace("rocksdb.", "").replaceAll("_", " "), told(name, value)] as const,
        )}
      />
    </Card>
  );
}

function Backups() {
  const { live, refresh } = usePoll((signal) => calls.backups(signal), 3_000, []);
  const [asked, setAsked] = useState(false);
  const columns: Column<Backup>[] = [
    { id: "id", head: t.backup, width: "76px", cell: (b) => b.id },
    { id: "state", head: t.state, width: "100px", cell: (b) => <Chip state={b.state} /> },
    { id: "when", head: t.made, cell: (b) => <Ago at={b.created_at} /> },
    { id: "size", head: t.size, width: "96px", num: true, cell: (b) => (b.bytes ? bytes(b.bytes) : "–") },
    { id: "files", head: t.files, width: "70px", num: true, show: "wide", cell: (b) => count(b.files) },
    { id: "error", head: t.lastError, show: "extra", cell: (b) => b.error ?? "–" },
  ];
  return (
    <Card
      title={t.backups}
      bare
      end={
        may("backup") && (
          <button class="button tiny" onClick={() => setAsked(true)}>
            {t.makeBackup}
          </button>
        )
      }
    >
      <ProblemNote of={live.value.error} />
      <Table
        label={t.backups}
        columns={columns}
        rows={live.value.data?.data ?? []}
        id={(b) => b.id}
        empty={t.noBackups}
      />
      {asked && (
        <Confirm
          title={t.makeBackup}
          what={t.backupWhat}
          verb={t.makeBackup}
          reason={false}
          close={() => setAsked(false)}
          act={async () => {
            await calls.makeBackup();
            toast(t.didBackup);
            refresh();
          }}
        />
      )}
    </Card>
  );
}
