import { useRef, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Cluster, Member, Page, Shard } from "../api/shapes";
import { filter, href, place } from "../lib/router";
import { usePoll } from "../live/poll";
import { Rates } from "../live/rates";
import { may } from "../live/session";
import { bytes, count, duration, none, short } from "../lib/format";
import { Card, Facts, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Confirm } from "../parts/dialog";
import { NodeLink, ShardLink } from "../parts/links";
import { PartialNote, ProblemNote } from "../parts/problem";
import { ShardMap } from "../parts/shard_map";
import { Table, type Column } from "../parts/table";
import { toast } from "../parts/toast";
import { t } from "../text";

interface Both {
  cluster: Cluster;
  shards: Page<Shard>;
}

export function ClusterView() {
  const q = place.value.query;
  const { live, refresh } = usePoll<Both>(
    async (signal) => {
      const [cluster, shards] = await Promise.all([calls.cluster(signal), calls.shards(signal)]);
      return { cluster, shards };
    },
    2_000,
    [],
  );
  const rates = useRef(new Rates());
  const { data, error, at } = live.value;
  const shard = data?.shards.data.find((s) => String(s.shard) === q.shard);
  const load = (s: Shard): number | null =>
    s.decisions === null ? null : rates.current.take(String(s.shard), s.decisions, at);
  const loads = new Map(data?.shards.data.map((s) => [s.shard, load(s)]));
  const moving = data?.shards.data.filter((s) => s.moving_to) ?? [];
  return (
    <>
      <ViewHead
        title={t.cluster}
        note={data && t.agreedBy(data.cluster.coordinator, data.cluster.map_version)}
      />
      <ProblemNote of={error} />
      <PartialNote page={data?.shards} />
      {!data && !error && <div class="empty">{t.loading}</div>}
      {data && (
        <>
          <div class="columns">
            <Card title={t.shardMap} class="w8" end={<MapChoice />}>
              <ShardMap
                shards={data.shards.data}
                nodes={data.cluster.members.map((m) => m.id)}
                loads={loads}
                by={q.by ?? "owner"}
                lit={q.node}
                selected={q.shard}
              />
            </Card>
            <div class="w4 stack">
              <Card title={shard ? t.shardN(shard.shard) : t.shard}>
                {shard ? (
                  <ShardFacts
                    shard={shard}
                    load={loads.get(shard.shard) ?? null}
                    members={data.cluster.members}
                    done={refresh}
                  />
                ) : (
                  <p class="quiet">{t.chooseShard}</p>
                )}
              </Card>
              <Card title={t.moves}>
                {moving.length ? (
                  <ul class="stack tight">
                    {moving.slice(0, 12).map((s) => (
                      <li key={s.shard} class="row">
                        <ShardLink shard={s.shard} /> {s.move?.from ?? s.owner} → {s.moving_to}
                        {s.move && (
                          <span class="quiet figures">
                            {t.moveStep(s.move.step, count(s.move.rows), bytes(s.move.bytes))}
                          </span>
                        )}
                      </li>
                    ))}
                    {moving.length > 12 && <li class="quiet">+{moving.length - 12}</li>}
                  </ul>
                ) : (
                  <p class="quiet">{t.noMoves}</p>
                )}
              </Card>
            </div>
          </div>
          <Members cluster={data.cluster} shards={data.shards.data} done={refresh} />
          <Sight cluster={data.cluster} />
        </>
      )}
    </>
  );
}

function MapChoice() {
  const by = place.value.query.by ?? "owner";
  return (
    <div class="segments" role="group" aria-label={t.colouredBy}>
      {(["owner", "load", "open", "lag"] as const).map((b) => (
        <button key={b} aria-pressed={b === by} onClick={() => filter({ by: b })}>
          {t.mapBy[b]}
        </button>
      ))}
    </div>
  );
}

function ShardFacts({
  shard,
  load,
  members,
  done,
}: {
  shard: Shard;
  load: number | null;
  members: Member[];
  done: () => void;
}) {
  const [to, setTo] = useState("");
  const others = members.filter((m) => m.id !== shard.owner && m.role !== "gateway");
  return (
    <div class="stack tight">
      <Facts
        rows={[
          [t.owner, <NodeLink node={shard.owner} />],
          [t.state, <Chip state={shard.state} />],
          [t.epoch, count(shard.epoch)],
          [t.inFlight, count(shard.sagas_open)],
          [t.decisions, load === null ? none : `${short(load)}/s`],
          [t.lag, duration(shard.lag_us)],
          [t.mailbox, count(shard.mailbox)],
          shard.moving_to && [t.movingTo, <NodeLink node={shard.moving_to} />],
          [t.actors, <a href={href(["actors"], { shard: shard.shard })}>{t.actorsOfShard}</a>],
        ]}
      />
      {may("move") &&
        (others.length > 0 ? (
          <div class="row" role="group" aria-label={t.moveShard}>
            {others.map((m) => (
              <button key={m.id} class="button tiny" onClick={() => setTo(m.id)}>
                {t.moveTo(m.id)}
              </button>
            ))}
          </div>
        ) : (
          <p class="quiet small">{t.noOtherNode}</p>
        ))}
      {to && (
        <Confirm
          title={t.moveTo(to)}
          what={t.moveWhat(shard.shard, shard.owner ?? none, to)}
          verb={t.moveTo(to)}
          reason={false}
          close={() => setTo("")}
          act={async () => {
            await calls.moveShard(shard.shard, to);
            toast(t.didMove(shard.shard, to));
            done();
          }}
        />
      )}
    </div>
  );
}

function Members({ cluster, shards, done }: { cluster: Cluster; shards: Shard[]; done: () => void }) {
  const [drain, setDrain] = useState("");
  const alone = cluster.members.length < 2;
  const sum = (node: string, of: "sagas_open" | "mailbox" | "lag_us"): number | null => {
    const told = shards.filter((s) => s.owner === node && s[of] !== null).map((s) => s[of]!);
    if (!told.length) return null;
    return of === "lag_us" ? Math.max(...told) : told.reduce((a, b) => a + b, 0);
  };
  const columns: Column<Member>[] = [
    {
      id: "id",
      head: t.node,
      width: "max(92px, 11vw)",
      cell: (m) => (
        <>
          <NodeLink node={m.id} />
          {m.id === cluster.node && <span class="quiet"> {t.answersYou}</span>}
        </>
      ),
    },
    { id: "state", head: t.state, width: "92px", cell: (m) => <Chip state={m.state} /> },
    { id: "role", head: t.role, width: "64px", show: "wide", cell: (m) => m.role },
    { id: "shards", head: t.shards, width: "68px", num: true, cell: (m) => count(m.shards) },
    {
      id: "open",
      head: t.inFlight,
      width: "80px",
      num: true,
      show: "wide",
      cell: (m) => count(sum(m.id, "sagas_open")),
    },
    {
      id: "lag",
      head: t.lag,
      width: "88px",
      num: true,
      show: "wide",
      cell: (m) => duration(sum(m.id, "lag_us")),
    },
    {
      id: "mailbox",
      head: t.mailbox,
      width: "76px",
      num: true,
      show: "extra",
      cell: (m) => count(sum(m.id, "mailbox")),
    },
    { id: "map", head: t.map, width: "56px", num: true, show: "wide", cell: (m) => count(m.map_version) },
    { id: "release", head: t.release, width: "72px", show: "wide", cell: (m) => m.release ?? none },
    { id: "tunnel", head: t.addressOf, show: "extra", cell: (m) => m.tunnel ?? none },
    {
      id: "drain",
      head: <span class="sr">{t.actions}</span>,
      width: "92px",
      cell: (m) =>
        may("drain") && !alone && m.shards > 0 && m.state === "up" ? (
          <button class="button tiny" onClick={() => setDrain(m.id)}>
            {t.drain}…
          </button>
        ) : null,
    },
  ];
  return (
    <Card title={t.nodes} bare>
      <Table
        label={t.nodes}
        columns={columns}
        rows={cluster.members}
        id={(m) => m.id}
        selected={place.value.query.node}
      />
      {drain && (
        <Confirm
          title={t.drainNode(drain)}
          what={t.drainWhat(drain)}
          verb={t.drain}
          danger
          reason={false}
          close={() => setDrain("")}
          act={async () => {
            await calls.drainNode(drain);
            toast(t.didDrain(drain));
            done();
          }}
        />
      )}
    </Card>
  );
}

/** Who sees whom: a row for each node that answered, a column for each that there is. */
function Sight({ cluster }: { cluster: Cluster }) {
  if (cluster.members.length < 2) return null;
  const columns: Column<Cluster["sees"][number]>[] = [
    { id: "node", head: t.sees, width: "110px", cell: (s) => <NodeLink node={s.node} /> },
    ...cluster.members.map((m): Column<Cluster["sees"][number]> => ({
      id: m.id,
      head: m.id,
      cell: (s) => {
        const peer = s.peers.find((p) => p.node === m.id);
        if (s.node === m.id) return <span class="quiet">{t.itself}</span>;
        return peer ? (
          <span title={peer.last_error ?? ""}>
            <Chip state={peer.state} />{" "}
            <span class="quiet figures">{peer.state === "up" ? duration(peer.rtt_us) : ""}</span>
          </span>
        ) : (
          none
        );
      },
    })),
    { id: "error", head: t.lastError, show: "wide", cell: (s) => s.agreement_error ?? none },
  ];
  return (
    <Card title={t.whoSeesWhom} bare>
      <Table label={t.whoSeesWhom} columns={columns} rows={cluster.sees} id={(s) => s.node} />
    </Card>
  );
}
