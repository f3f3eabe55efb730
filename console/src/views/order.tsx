import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { JumunEvent, OperatorAction, Order, Saga, Timeline } from "../api/shapes";
import { usePoll } from "../live/poll";
import { may } from "../live/session";
import { curl } from "../lib/curl";
import { explain } from "../lib/explain";
import { count, money, none } from "../lib/format";
import { href } from "../lib/router";
import { Card, Facts, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Copy, Download } from "../parts/copy";
import { Confirm } from "../parts/dialog";
import { ProblemNote } from "../parts/problem";
import { Age, Ago, Countdown } from "../parts/time";
import { ActorLink, NodeLink, ShardLink, SkuLink } from "../parts/links";
import { TimelineList } from "../parts/timeline";
import { RecordingControl } from "../parts/recording";
import { PhaseGraph } from "../parts/phase_graph";
import { toast } from "../parts/toast";
import { named, t } from "../text";

interface All {
  order: Order;
  saga: Saga;
  timeline: Timeline;
  events: JumunEvent[];
}

async function load(id: string, signal: AbortSignal): Promise<All> {
  const [order, saga, timeline] = await Promise.all([
    calls.order(id, signal),
    calls.saga(id, signal),
    calls.timeline(id, signal),
  ]);
  return { order, saga, timeline, events: timeline.entries.map((e) => e.event).filter((e) => e !== null) };
}

export function OrderView({ id }: { id: string }) {
  const { live, refresh } = usePoll((signal) => load(id, signal), 2_000, [id]);
  const { data, error } = live.value;
  const title = (
    <>
      <span class="quiet">{t.orderOne}</span> <span class="mono">{id}</span>
    </>
  );
  if (!data)
    return (
      <>
        <ViewHead title={title} />
        {error ? <ProblemNote of={error} /> : <div class="empty">{t.loading}</div>}
      </>
    );
  const { order, saga, timeline } = data;
  return (
    <>
      <ViewHead title={title}>
        <Copy label={t.copyId} text={() => id} />
        <Copy label={t.copyCurl} text={() => curl(`/admin/v1/sagas/${id}`)} />
        <Download label="JSON" name={`${id}.json`} content={() => ({ order, saga, timeline })} />
      </ViewHead>
      <ProblemNote of={error} />
      <Standing saga={saga} done={refresh} />
      <div class="columns">
        <div class="w8 stack">
          <Card title={t.whereItStands}>
            <PhaseGraph phase={saga.phase} events={data.events} saga={saga.saga} />
          </Card>
          <Card
            title={t.timeline}
            end={<RecordingControl of={`orders/${id}`} recording={timeline.recording} changed={refresh} />}
            bare
          >
            {timeline.missing_nodes.length > 0 && (
              <div class="note warn" role="status">
                {t.missingFromIt(timeline.missing_nodes.join(", "))}
              </div>
            )}
            <TimelineList timeline={timeline} />
          </Card>
        </div>
        <div class="w4 stack">
          <Card title={t.order}>
            <OrderFacts order={order} saga={saga} />
          </Card>
          <Card title={t.lines(order.lines.length)}>
            <Lines order={order} />
          </Card>
          <Card title={t.steps}>
            <Steps saga={saga} />
          </Card>
        </div>
      </div>
    </>
  );
}

/** Why it stands where it stands, when it goes on, and what a person may do now. */
function Standing({ saga, done }: { saga: Saga; done: () => void }) {
  const [asked, setAsked] = useState<OperatorAction | null>(null);
  const actions = may("act") ? saga.allowed_actions : [];
  return (
    <Card>
      <div class="stack tight">
        <div class="row">
          <Chip state={saga.status} />
          <Chip state={saga.saga} />
          <span class="quiet">
            {named(t.phases, saga.phase)}
            {saga.since && (
              <>
                {" "}
                · <Age at={saga.since} />
              </>
            )}
          </span>
          {saga.attempts > 0 && <span class="quiet figures">{t.attemptsN(saga.attempts)}</span>}
          {saga.next_attempt_at && (
            <span>
              <span class="quiet">{t.nextTry}</span> <Countdown to={saga.next_attempt_at} />
            </span>
          )}
          {saga.money_at_risk.amount > 0 && <span class="quiet">{t.atRisk(money(saga.money_at_risk))}</span>}
        </div>
        <p class="why">{explain(saga)}</p>
        {saga.last_error && (
          <p class="quiet">
            {t.lastError}: <span class="mono">{saga.last_error}</span>
          </p>
        )}
        {actions.length > 0 && (
          <div class="row" role="group" aria-label={t.actions}>
            {actions.map((a) => (
              <button key={a} class={`button ${a === "cancel" ? "danger" : ""}`} onClick={() => setAsked(a)}>
                {t.actionNames[a]}
              </button>
            ))}
          </div>
        )}
      </div>
      {asked && (
        <Confirm
          title={t.actionNames[asked]}
          what={t.actionWhat[asked]}
          verb={t.actionNames[asked]}
          danger={asked === "cancel"}
          act={async (reason) => {
            await calls.act(saga.order_id, asked, reason);
            toast(t.didAction(t.actionNames[asked]));
            done();
          }}
          close={() => setAsked(null)}
        />
      )}
    </Card>
  );
}

function OrderFacts({ order, saga }: { order: Order; saga: Saga }) {
  return (
    <Facts
      rows={[
        [t.customer, <a href={href(["orders"], { customer: order.customer_id })}>{order.customer_id}</a>],
        [t.total, money(order.total)],
        [
          t.payment,
          <>
            <Chip state={order.payment.status} />{" "}
            {order.payment.refunded.amount > 0 && t.refundedOf(money(order.payment.refunded))}
          </>,
        ],
        [t.delivery, <Chip state={order.delivery.status} />],
        [t.actor, <ActorLink name={`saga/${order.id}`} />],
        [
          t.where,
          <>
            <ShardLink shard={saga.owner.shard} /> · <NodeLink node={saga.owner.node} />
          </>,
        ],
        [t.placed, <Ago at={order.created_at} />],
        [
          t.changed,
          <>
            <Ago at={order.updated_at} /> <span class="quiet">{t.versionN(order.version)}</span>
          </>,
        ],
        order.failure && [
          t.failure,
          <>
            <code>{order.failure.code}</code> {order.failure.detail}
          </>,
        ],
        order.cancellation && [
          t.cancellation,
          <>
            <Ago at={order.cancellation.requested_at} /> {order.cancellation.reason ?? ""}
          </>,
        ],
        [t.auditLog, <a href={href(["audit"], { target: order.id })}>{t.whoDidWhat}</a>],
      ]}
    />
  );
}

function Lines({ order }: { order: Order }) {
  return (
    <ul class="stack tight">
      {order.lines.map((l) => (
        <li key={l.sku} class="row">
          <span class="figures">{count(l.quantity)} ×</span> <SkuLink sku={l.sku} />{" "}
          <span class="quiet">{l.name !== l.sku ? l.name : ""}</span>
          <span class="figures" style={{ marginLeft: "auto" }}>
            {money({ ...l.unit_price, amount: l.unit_price.amount * l.quantity })}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Steps({ saga }: { saga: Saga }) {
  return (
    <ul class="stack tight">
      {saga.steps.map((s) => (
        <li key={s.name} class="row">
          {named(t.stepNames, s.name)}
          <span style={{ marginLeft: "auto" }}>
            {s.state === "open" ? none : <Chip state={s.state} words={t.stepStates} />}
          </span>
        </li>
      ))}
    </ul>
  );
}
