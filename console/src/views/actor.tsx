import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import { Problem } from "../api/http";
import type { Actor, RecordedMessage, Recording } from "../api/shapes";
import { usePoll } from "../live/poll";
import { may } from "../live/session";
import { curl } from "../lib/curl";
import { count, duration, none } from "../lib/format";
import { href } from "../lib/router";
import { Card, Facts, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Copy } from "../parts/copy";
import { Confirm } from "../parts/dialog";
import { Json } from "../parts/json";
import { ActorLink, NodeLink, OrderLink, ShardLink } from "../parts/links";
import { ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Moment } from "../parts/time";
import { toast } from "../parts/toast";
import { RecordingControl } from "../parts/recording";
import { named, t } from "../text";

/** null: none was made. */
const recordingOrNone = (of: string, signal: AbortSignal): Promise<Recording | null> =>
  calls.recording(of, signal).catch((why) => {
    if (why instanceof Problem && why.status === 404) return null;
    throw why;
  });

export function ActorView({ id }: { id: string }) {
  const of = `actors/${encodeURIComponent(id)}`;
  const { live, refresh } = usePoll(
    async (signal) => {
      const [actor, recording] = await Promise.all([calls.actor(id, signal), recordingOrNone(of, signal)]);
      return { actor, recording };
    },
    1_500,
    [id],
  );
  const [asked, setAsked] = useState(false);
  const { data, error } = live.value;
  const title = (
    <>
      <span class="quiet">{t.actor}</span> <span class="mono">{id}</span>
    </>
  );
  return (
    <>
      <ViewHead title={title}>
        <Copy label={t.copyCurl} text={() => curl(`/admin/v1/${of}`)} />
        {may("restart") && data && (
          <button class="button danger" onClick={() => setAsked(true)}>
            {t.restart}
          </button>
        )}
      </ViewHead>
      <ProblemNote of={error} />
      {!data && !error && <div class="empty">{t.loading}</div>}
      {data && (
        <div class="columns">
          <div class="w4 stack">
            <Card title={t.figures}>
              <ActorFacts actor={data.actor} />
            </Card>
          </div>
          <div class="w8 stack">
            <Card title={t.liveState} end={<span class="quiet small">{t.secretsMasked}</span>}>
              {data.actor.live_state ? (
                <Json value={data.actor.live_state} label={t.liveState} />
              ) : (
                <p class="quiet">{t.noLiveState}</p>
              )}
            </Card>
            <Card
              title={t.lastMessages}
              end={<RecordingControl of={of} recording={data.recording} changed={refresh} />}
              bare
            >
              <Messages recording={data.recording} />
            </Card>
          </div>
        </div>
      )}
      {asked && (
        <Confirm
          title={t.restartOf(id)}
          what={t.restartWhat}
          verb={t.restart}
          danger
          close={() => setAsked(false)}
          act={async (reason) => {
            await calls.restartActor(id, reason);
            toast(t.didRestart);
            refresh();
          }}
        />
      )}
    </>
  );
}

function ActorFacts({ actor: a }: { actor: Actor }) {
  const order = a.name.match(/ord_[0-9A-Z]{26}/)?.[0];
  return (
    <Facts
      rows={[
        [t.state, <Chip state={a.state} />],
        [t.mailbox, count(a.mailbox_depth)],
        [t.handled, count(a.messages_handled)],
        [t.restarts, count(a.restarts)],
        [t.lastError, a.last_error ?? none],
        [t.parent, a.parent ? <ActorLink name={a.parent} /> : none],
        a.kind === "supervisor" && [
          t.children,
          <a href={href(["actors"], { parent: a.name, node: a.node })}>{t.allChildren(a.name)}</a>,
        ],
        order && [t.order, <OrderLink id={order} />],
        [t.shard, a.shard === null ? none : <ShardLink shard={a.shard} />],
        [t.node, <NodeLink node={a.node} />],
        ["id", <code>{a.id}</code>],
      ]}
    />
  );
}

/** Actors have a slash in their name; the edge, the provider and the clock are none. */
function Sender({ name }: { name: string | null }) {
  return name?.includes("/") ? (
    <ActorLink name={name} />
  ) : (
    <span class="quiet">{name === null ? t.outside : named(t.laneNames, name)}</span>
  );
}

function Messages({ recording }: { recording: Recording | null }) {
  const newestFirst = [...(recording?.messages ?? [])].reverse();
  const columns: Column<RecordedMessage>[] = [
    { id: "at", head: t.time, width: "116px", cell: (m) => <Moment at={m.at} /> },
    { id: "what", head: t.message, width: "170px", cell: (m) => <span class="mono">{m.message}</span> },
    { id: "from", head: t.from, cell: (m) => <Sender name={m.from} /> },
    { id: "to", head: t.to, show: "wide", cell: (m) => <ActorLink name={m.to} /> },
    {
      id: "order",
      head: t.order,
      width: "118px",
      show: "wide",
      cell: (m) => (m.order_id ? <OrderLink id={m.order_id} /> : none),
    },
    { id: "wait", head: t.waited, width: "80px", num: true, show: "wide", cell: (m) => duration(m.wait_us) },
    { id: "took", head: t.took, width: "80px", num: true, cell: (m) => duration(m.took_us) },
  ];
  return (
    <Table
      label={t.lastMessages}
      tall={newestFirst.length > 20}
      columns={columns}
      rows={newestFirst}
      id={(m) => `${m.at_us} ${m.message} ${m.from} ${m.order_id}`}
      empty={recording ? t.noMessages : t.notRecorded}
    />
  );
}
