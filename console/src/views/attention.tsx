import { useMemo, useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { AttentionGroup, BatchResult, Effect, OperatorAction } from "../api/shapes";
import { usePoll } from "../live/poll";
import { may } from "../live/session";
import { explain } from "../lib/explain";
import { addMoney, count, moneys } from "../lib/format";
import { Card, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Modal } from "../parts/dialog";
import { NodeLink, OrderLink } from "../parts/links";
import { PartialNote, ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Age } from "../parts/time";
import { toast } from "../parts/toast";
import { named, t } from "../text";

const ordersShown = 8,
  batchMax = 200; // orders of one batch of actions

/** One of the server's groups, of all nodes that have it: what stops orders does not stop at a node. */
interface Group extends Omit<AttentionGroup, "node"> {
  nodes: string[];
}
function ofAllNodes(all: AttentionGroup[]): Group[] {
  const found = new Map<string, Group>();
  for (const { node, ...g } of all) {
    const key = JSON.stringify([g.poisoned, g.phase, g.error]);
    const known = found.get(key);
    if (!known) {
      found.set(key, { ...g, nodes: [node] });
      continue;
    }
    known.nodes.push(node);
    known.count += g.count;
    known.money_at_risk = addMoney([...known.money_at_risk, ...g.money_at_risk]);
    known.oldest_at = known.oldest_at < g.oldest_at ? known.oldest_at : g.oldest_at;
    known.actions = known.actions.filter((a) => g.actions.includes(a));
    known.orders = [...known.orders, ...g.orders].slice(0, batchMax);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

export function AttentionView() {
  const { live, refresh } = usePoll((signal) => calls.attention(signal), 3_000, []);
  const [asked, setAsked] = useState<{ group: Group; action: OperatorAction } | null>(null);
  const { data, error } = live.value;
  const groups = useMemo(() => ofAllNodes(data?.data ?? []), [data]);
  return (
    <>
      <ViewHead title={t.attention} note={t.attentionNote} />
      <ProblemNote of={error} />
      <PartialNote page={data} />
      {data && groups.length === 0 && <div class="card empty">{t.allWell}</div>}
      {!data && !error && <div class="empty">{t.loading}</div>}
      {groups.map((g) => (
        <Card
          key={`${g.poisoned} ${g.phase} ${g.error}`}
          title={<span class="mono">{g.error || named(t.phases, g.phase)}</span>}
          end={
            <>
              {may("act") &&
                g.actions.map((action) => (
                  <button key={action} class="button tiny" onClick={() => setAsked({ group: g, action })}>
                    {t.actionNames[action]}…
                  </button>
                ))}
            </>
          }
        >
          <div class="stack tight">
            <div class="row figures">
              <Chip state={g.poisoned ? "quarantined" : "blocked"} /> <strong>{t.ordersN(g.count)}</strong>
              <span class="quiet">{named(t.phases, g.phase)}</span>
              {g.money_at_risk.some((m) => m.amount > 0) && <span>{t.atRisk(moneys(g.money_at_risk))}</span>}
              <span class="quiet">
                {t.oldest} <Age at={g.oldest_at} />
              </span>{" "}
              {g.nodes.map((n) => (
                <NodeLink key={n} node={n} />
              ))}
            </div>
            <div class="row">
              {g.orders.slice(0, ordersShown).map((o) => (
                <OrderLink key={o} id={o} />
              ))}
              {g.orders.length > ordersShown && <span class="quiet">+{count(g.count - ordersShown)}</span>}
            </div>
          </div>
        </Card>
      ))}
      {asked && <BatchDialog {...asked} close={() => setAsked(null)} done={refresh} />}
    </>
  );
}

const effectColumns = (): Column<Effect>[] => [
  { id: "order", head: t.order, width: "124px", cell: (e) => <OrderLink id={e.order_id} /> },
  {
    id: "outcome",
    head: t.outcome,
    width: "130px",
    cell: (e) => <Chip state={e.outcome} words={t.outcomes} />,
  },
  {
    id: "detail",
    head: t.whatWould,
    cell: (e) => {
      const would = e.then ? explain(e.then) : e.detail;
      return <span title={[would, ...e.sends].join(" · ")}>{would}</span>;
    },
  },
];

/** First what would happen to each order, then, if the person still wants it, the same for real. */
function BatchDialog({
  group,
  action,
  close,
  done,
}: {
  group: Group;
  action: OperatorAction;
  close: () => void;
  done: () => void;
}) {
  const [reason, setReason] = useState("");
  const [result, setResult] = useState<BatchResult | null>(null);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  async function run(dryRun: boolean) {
    setBusy(true);
    setError(undefined);
    try {
      const said = await calls.actOnMany(action, reason.trim(), group.orders, dryRun);
      setResult(said);
      if (!dryRun) {
        toast(t.didMany(t.actionNames[action], said.data.filter((e) => e.outcome === "done").length));
        done();
      }
    } catch (why) {
      setError(why);
    }
    setBusy(false);
  }
  const willAct = result?.data.filter((e) => e.outcome === "would-act").length ?? 0;
  const finished = result !== null && !result.dry_run;
  return (
    <Modal title={t.actOnN(t.actionNames[action], group.orders.length)} wide close={close}>
      <form
        class="stack tight"
        onSubmit={(e) => {
          e.preventDefault();
          void run(result === null);
        }}
      >
        <p class="quiet">{t.actionWhat[action]}</p>
        {group.count > group.orders.length && <div class="note">{t.onlyFirst(group.orders.length)}</div>}
        <label class="field">
          <span>{t.reason}</span>
          <textarea
            rows={2}
            maxLength={256}
            required
            autoFocus
            disabled={finished}
            value={reason}
            placeholder={t.reasonHint}
            onInput={(e) => {
              setReason(e.currentTarget.value);
              if (result?.dry_run) setResult(null);
            }}
          />
        </label>
        <ProblemNote of={error} />
        {result && (
          <div class="card" role="status">
            <Table
              label={result.dry_run ? t.dryRun : t.outcome}
              tall={result.data.length > 8}
              columns={effectColumns()}
              rows={result.data}
              id={(e) => e.order_id}
            />
          </div>
        )}
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            {finished ? t.close : t.goBack}
          </button>
          {!finished &&
            (result === null ? (
              <button class="button main" disabled={busy || !reason.trim()}>
                {busy ? t.working : t.dryRun}
              </button>
            ) : (
              <button
                class={`button main ${action === "cancel" ? "danger" : ""}`}
                disabled={busy || willAct === 0}
              >
                {busy ? t.working : t.doItFor(t.actionNames[action], willAct)}
              </button>
            ))}
        </div>
      </form>
    </Modal>
  );
}
