import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Movement, Reservation, Stock, StockCheck } from "../api/shapes";
import { usePages } from "../live/pages";
import { usePoll } from "../live/poll";
import { may } from "../live/session";
import { count, none } from "../lib/format";
import { Card, Facts, Tile, ViewHead } from "../parts/layout";
import { Modal } from "../parts/dialog";
import { ListFoot } from "../parts/list_foot";
import { OrderLink } from "../parts/links";
import { ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Age, Ago } from "../parts/time";
import { toast } from "../parts/toast";
import { StockBar } from "./inventory";
import { t } from "../text";

export function SkuView({ id: sku }: { id: string }) {
  const { live, refresh } = usePoll((signal) => calls.oneStock(sku, signal), 1_500, [sku]);
  const [adjusting, setAdjusting] = useState(false);
  const stock = live.value.data;
  return (
    <>
      <ViewHead
        title={
          <>
            <span class="quiet">{t.sku}</span> {sku}
          </>
        }
      >
        {may("adjust_stock") && stock && (
          <button class="button main" onClick={() => setAdjusting(true)}>
            {t.addStock}
          </button>
        )}
      </ViewHead>
      <ProblemNote of={live.value.error} />
      {stock && (
        <div class="tiles">
          <Tile name={t.onHand} value={count(stock.on_hand)} />
          <Tile name={t.reserved} value={count(stock.reserved)} sub={<StockBar stock={stock} />} />
          <Tile
            name={t.available}
            value={count(stock.available)}
            tone={stock.available === 0 ? "bad" : ""}
            sub={stock.available === 0 ? t.soldOut : undefined}
          />
          <Tile name={t.version} value={count(stock.version)} />
        </div>
      )}
      <div class="columns">
        <div class="w6 stack">
          <Reservations sku={sku} />
          <Drift sku={sku} />
        </div>
        <div class="w6">
          <Movements sku={sku} />
        </div>
      </div>
      {adjusting && <AdjustDialog sku={sku} close={() => setAdjusting(false)} done={refresh} />}
    </>
  );
}

function Reservations({ sku }: { sku: string }) {
  const list = usePages<Reservation>(
    (cursor, signal) => calls.reservations(sku, { limit: 100, cursor }, signal),
    3_000,
    [sku],
  );
  const columns: Column<Reservation>[] = [
    { id: "order", head: t.order, cell: (r) => <OrderLink id={r.order_id} /> },
    { id: "quantity", head: t.quantity, width: "90px", num: true, cell: (r) => count(r.quantity) },
    { id: "since", head: t.age, width: "110px", num: true, cell: (r) => <Age at={r.since} /> },
  ];
  return (
    <Card title={t.liveReservations} bare>
      <ProblemNote of={list.error} />
      <Table
        label={t.liveReservations}
        tall={list.rows.length > 15}
        columns={columns}
        rows={list.rows}
        id={(r) => `${r.order_id} ${r.line}`}
        more={list.more}
        empty={list.busy ? t.loading : t.noReservations}
      />
      <ListFoot list={list} />
    </Card>
  );
}

function Movements({ sku }: { sku: string }) {
  const list = usePages<Movement>(
    (cursor, signal) => calls.movements(sku, { limit: 100, cursor }, signal),
    3_000,
    [sku],
  );
  const columns: Column<Movement>[] = [
    { id: "time", head: t.time, width: "110px", cell: (m) => <Ago at={m.time} /> },
    {
      id: "delta",
      head: t.change,
      width: "80px",
      num: true,
      cell: (m) => (m.delta > 0 ? `+${count(m.delta)}` : count(m.delta)),
    },
    { id: "onhand", head: t.onHand, width: "84px", num: true, cell: (m) => count(m.on_hand) },
    {
      id: "order",
      head: t.order,
      width: "118px",
      show: "wide",
      cell: (m) => (m.order_id ? <OrderLink id={m.order_id} /> : none),
    },
    {
      id: "reason",
      head: t.reason,
      cell: (m) => (
        <span title={m.reference ?? ""}>
          {m.reason}
          {m.reference && <span class="quiet"> · {m.reference}</span>}
        </span>
      ),
    },
  ];
  return (
    <Card title={t.movements} bare>
      <ProblemNote of={list.error} />
      <Table
        label={t.movements}
        tall
        columns={columns}
        rows={list.rows}
        id={(m) => String(m.number)}
        more={list.more}
        empty={list.busy ? t.loading : t.nothing}
      />
      <ListFoot list={list} />
    </Card>
  );
}

/** Do the rows agree with each other? Asked for, because it reads all of the SKU's rows. */
function Drift({ sku }: { sku: string }) {
  const [found, setFound] = useState<StockCheck | null>(null);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  async function check() {
    setBusy(true);
    setError(undefined);
    try {
      setFound(await calls.checkStock(sku));
    } catch (why) {
      setError(why);
    }
    setBusy(false);
  }
  return (
    <Card
      title={t.driftCheck}
      end={
        <button class="button tiny" disabled={busy} onClick={() => void check()}>
          {busy ? t.working : t.checkNow}
        </button>
      }
    >
      <ProblemNote of={error} />
      {!found && !error && <p class="quiet">{t.driftWhat}</p>}
      {found && (
        <div class="stack tight">
          <div class={`note ${found.consistent ? "good" : "warn"}`} role="status">
            {found.consistent ? t.consistent : t.drifted(found.drift.on_hand, found.drift.reserved)}
            {!found.complete && ` ${t.checkIncomplete}`}
          </div>
          <Facts
            rows={[
              [
                t.onHand,
                `${count(found.on_hand)} = ${t.sumOfMovements(count(found.movements_sum), count(found.movements))}`,
              ],
              [
                t.reserved,
                `${count(found.reserved)} = ${t.sumOfReservations(count(found.live_reservations_sum), count(found.live_reservations))}`,
              ],
              [t.checked, <Ago at={found.checked_at} />],
            ]}
          />
        </div>
      )}
    </Card>
  );
}

function AdjustDialog({ sku, close, done }: { sku: string; close: () => void; done: () => void }) {
  const [delta, setDelta] = useState("");
  const [reason, setReason] = useState("");
  const [reference, setReference] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const amount = Number(delta);
  const ready = !busy && Number.isSafeInteger(amount) && amount !== 0 && reason.trim() !== "";
  async function submit(e: Event) {
    e.preventDefault();
    setBusy(true);
    try {
      const after: Stock = await calls.adjustStock(sku, amount, reason.trim(), reference.trim() || null);
      toast(t.nowOnHand(sku, count(after.on_hand)));
      done();
      close();
    } catch (why) {
      setError(why);
      setBusy(false);
    }
  }
  return (
    <Modal title={t.addStockTo(sku)} close={close}>
      <form class="stack tight" onSubmit={(e) => void submit(e)}>
        <label class="field">
          <span>{t.change}</span>
          <input
            type="number"
            step="1"
            required
            autoFocus
            value={delta}
            placeholder="100"
            onInput={(e) => setDelta(e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{t.reason}</span>
          <input required maxLength={256} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{t.reference}</span>
          <input maxLength={256} value={reference} onInput={(e) => setReference(e.currentTarget.value)} />
        </label>
        <ProblemNote of={error} />
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            {t.goBack}
          </button>
          <button class="button main" disabled={!ready}>
            {busy ? t.working : t.addStock}
          </button>
        </div>
      </form>
    </Modal>
  );
}
