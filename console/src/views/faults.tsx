import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Fault, FaultTarget } from "../api/shapes";
import { load, ratesOffered, startLoad, stopLoad } from "../lib/load";
import { usePoll } from "../live/poll";
import { may } from "../live/session";
import { count, milliseconds, none, short } from "../lib/format";
import { Card, ViewHead } from "../parts/layout";
import { Chip } from "../parts/chip";
import { Confirm } from "../parts/dialog";
import { Plot } from "../parts/plot";
import { ProblemNote } from "../parts/problem";
import { toast } from "../parts/toast";
import { named, t } from "../text";

const tokens = [
  "tok_approve",
  "tok_decline",
  "tok_timeout",
  "tok_flaky_2",
  "tok_slow_300",
  "tok_refund_fails_3",
];
const killable = ["saga", "inventory", "payment", "delivery"];

export function FaultsView() {
  const { live, refresh } = usePoll(
    async (signal) => {
      const [targets, faults] = await Promise.all([calls.faultTargets(signal), calls.faults(signal)]);
      return { targets: targets.data, faults: faults.data };
    },
    2_000,
    [],
  );
  return (
    <>
      <ViewHead title={t.faults} note={t.faultsNote} />
      <ProblemNote of={live.value.error} />
      <div class="columns">
        <div class="w6 stack">
          {live.value.data?.targets.map((x) => (
            <FaultCard
              key={x.target}
              target={x}
              fault={live.value.data?.faults.find((f) => f.target === x.target)}
              done={refresh}
            />
          ))}
          {may("restart") && <KillCard />}
        </div>
        <div class="w6">
          <LoadCard />
        </div>
      </div>
    </>
  );
}

function FaultCard({
  target,
  fault,
  done,
}: {
  target: FaultTarget;
  fault: Fault | undefined;
  done: () => void;
}) {
  const [mode, setMode] = useState(target.modes[0] ?? "");
  const [delay, setDelay] = useState("500");
  const [rate, setRate] = useState("1");
  const [error, setError] = useState<unknown>();
  async function run(what: () => Promise<unknown>, said: string) {
    try {
      await what();
      setError(undefined);
      toast(said);
      done();
    } catch (why) {
      setError(why);
    }
  }
  const set = (e: Event) => {
    e.preventDefault();
    void run(
      () =>
        calls.setFault(target.target, {
          mode,
          rate: Number(rate),
          ...(mode === "slow" ? { delay_ms: Number(delay) } : {}),
        }),
      t.didFault(target.target),
    );
  };
  return (
    <Card
      title={target.target}
      end={
        fault ? (
          <>
            <span class="chip bad">
              {fault.mode}
              {fault.rate < 1 && ` ${Math.round(fault.rate * 100)} %`}
              {fault.mode === "slow" && ` ${fault.delay_ms} ms`}
            </span>
            {may("faults") && (
              <button
                class="button tiny"
                onClick={() =>
                  void run(() => calls.clearFault(target.target), t.didClearFault(target.target))
                }
              >
                {t.clearFault}
              </button>
            )}
          </>
        ) : (
          <Chip state="up" words={t.faultStates} />
        )
      }
    >
      <div class="stack tight">
        {may("faults") && (
          <form class="faultform" onSubmit={set}>
            <label class="field">
              <span>{t.mode}</span>
              <select value={mode} onChange={(e) => setMode(e.currentTarget.value)}>
                {target.modes.map((m) => (
                  <option key={m} value={m}>
                    {named(t.faultModes, m)}
                  </option>
                ))}
              </select>
            </label>
            {mode === "slow" && (
              <label class="field">
                <span>{t.delayMs}</span>
                <input
                  type="number"
                  min="0"
                  max="60000"
                  value={delay}
                  onInput={(e) => setDelay(e.currentTarget.value)}
                />
              </label>
            )}
            <label class="field">
              <span>{t.shareOfCalls}</span>
              <select value={rate} onChange={(e) => setRate(e.currentTarget.value)}>
                {["1", "0.5", "0.1"].map((r) => (
                  <option key={r} value={r}>
                    {Number(r) * 100} %
                  </option>
                ))}
              </select>
            </label>
            <button class="button danger">{t.setFault}</button>
          </form>
        )}
        <ProblemNote of={error} />
      </div>
    </Card>
  );
}

/** Stops one actor of a kind, by chance; its supervisor starts it from disk. */
function KillCard() {
  const [kind, setKind] = useState("saga");
  const [asked, setAsked] = useState("");
  async function choose() {
    const { data } = await calls.actors({ kind, state: "running", limit: 200 });
    const one = data[Math.floor(Math.random() * data.length)];
    if (one) setAsked(one.name);
    else toast(t.noneToKill, true);
  }
  return (
    <Card title={t.killActor}>
      <div class="row">
        <select aria-label={t.kind} value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
          {killable.map((k) => (
            <option key={k} value={k}>
              {named(t.kinds, k)}
            </option>
          ))}
        </select>
        <button class="button danger" onClick={() => void choose()}>
          {t.killOne}…
        </button>
      </div>
      {asked && (
        <Confirm
          title={t.restartOf(asked)}
          what={t.restartWhat}
          verb={t.restart}
          danger
          close={() => setAsked("")}
          act={async (reason) => {
            await calls.restartActor(asked, reason);
            toast(t.didRestart);
          }}
        />
      )}
    </Card>
  );
}

function LoadCard() {
  const { live: products } = usePoll((signal) => calls.products(signal), 10_000, []);
  const [sku, setSku] = useState("");
  const [rate, setRate] = useState("5");
  const [token, setToken] = useState("tok_approve");
  const now = load.value;
  const chosen = sku || products.value.data?.data[0]?.sku || "";
  const answered = now.good + now.bad;
  return (
    <Card title={t.smallLoad} end={now.running ? <Chip state="running" /> : null}>
      <div class="stack tight">
        {may("place_orders") ? (
          <form
            class="faultform"
            onSubmit={(e) => {
              e.preventDefault();
              now.running ? stopLoad() : startLoad(chosen, Number(rate), token);
            }}
          >
            <label class="field">
              <span>{t.sku}</span>
              <select value={chosen} disabled={now.running} onChange={(e) => setSku(e.currentTarget.value)}>
                {products.value.data?.data.map((p) => (
                  <option key={p.sku} value={p.sku}>
                    {p.sku}
                  </option>
                ))}
              </select>
            </label>
            <label class="field">
              <span>{t.ordersASecond}</span>
              <select value={rate} disabled={now.running} onChange={(e) => setRate(e.currentTarget.value)}>
                {ratesOffered.map((r) => (
                  <option key={r} value={String(r)}>
                    {r}
                  </option>
                ))}
              </select>
            </label>
            <label class="field">
              <span>{t.payment}</span>
              <select value={token} disabled={now.running} onChange={(e) => setToken(e.currentTarget.value)}>
                {tokens.map((x) => (
                  <option key={x}>{x}</option>
                ))}
              </select>
            </label>
            <button class={`button ${now.running ? "" : "main"}`} disabled={!chosen}>
              {now.running ? t.stopLoad : t.startLoad}
            </button>
          </form>
        ) : (
          <p class="quiet">{t.mayNotOrder}</p>
        )}
        <ProblemNote of={products.value.error} />
        {products.value.data?.data.length === 0 && <div class="note">{t.noProducts}</div>}
        <div>
          <div class="availability">
            {answered ? `${((now.good / answered) * 100).toFixed(now.bad ? 2 : 0)} %` : none}
          </div>
          <p class="quiet figures">
            {t.loadSaid(count(now.sent), count(now.good), count(now.rejected), count(now.bad))}
          </p>
          {Object.entries(now.why).map(([code, n]) => (
            <p key={code} class="small figures">
              {count(n)} × <code>{code}</code>
            </p>
          ))}
        </div>
        <Plot
          label={t.answersASecond}
          times={now.seconds.map((s) => s.at)}
          format={short}
          whole
          height={130}
          lines={[
            { label: t.answeredWell, token: "--accent", values: now.seconds.map((s) => s.good), fill: true },
            { label: t.failed, token: "--bad", values: now.seconds.map((s) => s.bad) },
          ]}
        />
        <Plot
          label={t.plotSettle}
          times={now.seconds.map((s) => s.at)}
          format={milliseconds}
          height={130}
          lines={[
            { label: "p50", token: "--accent", values: now.seconds.map((s) => s.p50_ms) },
            { label: "p99", token: "--warn", values: now.seconds.map((s) => s.p99_ms) },
          ]}
        />
      </div>
    </Card>
  );
}
