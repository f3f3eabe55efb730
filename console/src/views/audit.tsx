import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { AuditEntry, Setting } from "../api/shapes";
import { filter, place } from "../lib/router";
import { usePages } from "../live/pages";
import { usePoll } from "../live/poll";
import { may, who } from "../live/session";
import { none } from "../lib/format";
import { Card, ViewHead } from "../parts/layout";
import { FilterField } from "../parts/filter_field";
import { ListPage } from "../parts/list_page";
import { ActorLink, OrderLink } from "../parts/links";
import { ProblemNote } from "../parts/problem";
import { Table, type Column } from "../parts/table";
import { Ago } from "../parts/time";
import { toast } from "../parts/toast";
import { t } from "../text";

export function AuditView() {
  const tab = place.value.query.tab === "settings" ? "settings" : "audit";
  return (
    <>
      <ViewHead title={t.audit}>
        <div class="segments" role="group" aria-label={t.show}>
          <button aria-pressed={tab === "audit"} onClick={() => filter({ tab: "" })}>
            {t.auditLog}
          </button>
          <button aria-pressed={tab === "settings"} onClick={() => filter({ tab: "settings" })}>
            {t.settings}
          </button>
        </div>
      </ViewHead>
      {tab === "audit" ? <Log /> : <Settings />}
    </>
  );
}

function Target({ of }: { of: string | null }) {
  if (!of) return <>{none}</>;
  if (/^ord_/.test(of)) return <OrderLink id={of} />;
  return /^(saga|inventory|payment|delivery|supervisor)\//.test(of) ? <ActorLink name={of} /> : <>{of}</>;
}

function Log() {
  const q = place.value.query;
  const ask = { principal: q.principal, action: q.action, target: q.target };
  const list = usePages<AuditEntry>(
    (cursor, signal) => calls.audit({ ...ask, limit: 100, cursor }, signal),
    4_000,
    [JSON.stringify(ask)],
  );
  const columns: Column<AuditEntry>[] = [
    { id: "time", head: t.time, width: "116px", cell: (e) => <Ago at={e.time} /> },
    { id: "who", head: t.whoActed, width: "130px", cell: (e) => <span title={e.roles}>{e.principal}</span> },
    { id: "action", head: t.action, width: "160px", cell: (e) => <span class="mono">{e.action}</span> },
    { id: "target", head: t.target, width: "150px", cell: (e) => <Target of={e.target} /> },
    { id: "outcome", head: t.outcome, width: "120px", show: "wide", cell: (e) => e.outcome },
    {
      id: "reason",
      head: t.reason,
      show: "wide",
      cell: (e) => <span title={e.reason ?? ""}>{e.reason ?? none}</span>,
    },
    {
      id: "trace",
      head: "trace",
      width: "140px",
      show: "extra",
      cell: (e) => (
        <span class="mono quiet" title={e.trace_id}>
          {e.trace_id.slice(0, 14)}…
        </span>
      ),
    },
  ];
  return (
    <ListPage
      label={t.auditLog}
      list={list}
      columns={columns}
      id={(e) => `${e.time} ${e.trace_id} ${e.action} ${e.target}`}
      clears={["principal", "action", "target"]}
    >
      <FilterField name="principal" label={t.whoActed} />
      <FilterField name="action" label={t.action} hint="saga.resume" />
      <FilterField name="target" label={t.target} />
    </ListPage>
  );
}

const shownValue = (v: Setting["value"]): string => (v === null || v === "" ? none : String(v));

function Settings() {
  const { live } = usePoll((signal) => calls.config(signal), 30_000, []);
  const [changedOnly, setChangedOnly] = useState(false);
  const rows = (live.value.data?.data ?? []).filter((s) => !changedOnly || s.source !== "default");
  const columns: Column<Setting>[] = [
    { id: "key", head: t.setting, width: "210px", cell: (s) => <span class="mono">{s.key}</span> },
    {
      id: "value",
      head: t.value,
      width: "170px",
      cell: (s) => (
        <span title={shownValue(s.value)}>
          {s.source === "default" ? shownValue(s.value) : <strong>{shownValue(s.value)}</strong>}{" "}
          <span class="quiet">{s.unit}</span>
        </span>
      ),
    },
    {
      id: "source",
      head: t.source,
      width: "92px",
      show: "wide",
      cell: (s) => (s.source === "default" ? <span class="quiet">{s.source}</span> : s.source),
    },
    {
      id: "allowed",
      head: t.allowed,
      width: "170px",
      show: "extra",
      cell: (s) => (
        <span class="quiet" title={s.allowed}>
          {s.allowed}
        </span>
      ),
    },
    { id: "doc", head: t.meaning, show: "wide", cell: (s) => <span title={s.doc}>{s.doc}</span> },
  ];
  return (
    <>
      <ProblemNote of={live.value.error} />
      <Card
        bare
        title={t.settingsInForce(who.value?.node ?? "")}
        end={
          <>
            <label class="row">
              <input
                type="checkbox"
                checked={changedOnly}
                onChange={(e) => setChangedOnly(e.currentTarget.checked)}
              />{" "}
              {t.changedOnly}
            </label>
            <LogLevel />
          </>
        }
      >
        <Table
          label={t.settings}
          tall
          columns={columns}
          rows={rows}
          id={(s) => s.key}
          empty={live.value.busy ? t.loading : t.nothing}
        />
      </Card>
    </>
  );
}

function LogLevel() {
  const { live, refresh } = usePoll((signal) => calls.logLevel(signal), 0, []);
  const level = live.value.data?.level ?? "";
  async function set(next: string) {
    try {
      await calls.setLogLevel(next);
      toast(t.didLogLevel(next));
      refresh();
    } catch (why) {
      toast(String((why as Error).message), true);
    }
  }
  return (
    <label class="row">
      {t.logLevel}{" "}
      {may("log_level") ? (
        <select value={level} onChange={(e) => void set(e.currentTarget.value)}>
          {["debug", "info", "warn", "error"].map((l) => (
            <option key={l}>{l}</option>
          ))}
        </select>
      ) : (
        <span class="mono">{level}</span>
      )}
    </label>
  );
}
