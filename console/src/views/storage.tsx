import { useRef, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Backup, Figures } from "../api/shapes";
import { series } from "../live/overview";
import { usePoll } from "../live/poll";
import { Rates } from "../live/rates";
import { may } from "../live/session";
import { bytes, count, duration, short } from "../lib/format";
import { Bars, Card, Facts, Tile, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Confirm } from "../parts/dialog";
import { Plot } from "../parts/plot";
import { ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Ago } from "../parts/time";
import { toast } from "../parts/toast";
import { t } from "../text";

export function StorageView() {
  const { live } = usePoll((signal) => calls.storage(signal), 2_000, []);
  const rates = useRef(new Rates());
  const { data, error, at } = live.value;
  const figure = (name: string): number | null =>
    typeof data?.[name] === "number" ? (data[name] as number) : null;
  const perSecond = (name: string): number | null =>
    figure(name) === null ? null : rates.current.take(name, figure(name)!, at);
  const commits = perSecond("commits"),
    sets = perSecond("write_sets"),
    written = perSecond("bytes");
  const { times, columns } = series.value;
  return (
    <>
      <ViewHead title={t.storage} note={t.storageNote} />
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
          <Sizes figures={data ?? {}} />
          <Backups />
        </div>
        <div class="w6 stack">{data && <AllFigures figures={data} />}</div>
      </div>
    </>
  );
}

/** Column families by size: the figures that are named so. */
function Sizes({ figures }: { figures: Figures }) {
  const sizes = Object.entries(figures)
    .flatMap(([name, value]) => {
      const family = name.match(/^rocksdb\.(?:cf\.)?(.+?)\.(?:sst_bytes|live_bytes|size_bytes|bytes)$/)?.[1];
      return family && typeof value === "number" ? [{ family, value }] : [];
    })
    .sort((a, b) => b.value - a.value);
  if (!sizes.length) return null;
  return (
    <Card title={t.familySizes}>
      <Bars rows={sizes.map((s) => ({ name: s.family, value: s.value, text: bytes(s.value) }))} />
    </Card>
  );
}

const looksLikeBytes = /bytes|size|memory|usage|cache/;
function AllFigures({ figures }: { figures: Figures }) {
  const told = (name: string, value: unknown): string => {
    if (typeof value !== "number") return typeof value === "object" ? JSON.stringify(value) : String(value);
    if (/(_us|_us_mean|_us_below_p\d+)$/.test(name)) return duration(value);
    return looksLikeBytes.test(name) ? bytes(value) : count(value);
  };
  return (
    <Card title={t.allFigures}>
      <Facts
        rows={Object.entries(figures).map(
          ([name, value]) =>
            [name.replaceAll("_", " ").replace("rocksdb.", "rocksdb "), told(name, value)] as const,
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
