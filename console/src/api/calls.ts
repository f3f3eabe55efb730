// Every call that the console makes, one line each.
import { freshKey, get, remove, write, type Query } from "./http";
import type * as s from "./shapes";

const id = encodeURIComponent;
type Signal = AbortSignal | undefined;

export const calls = {
  whoami: (signal?: Signal) => get<s.Whoami>("/admin/v1/whoami", {}, signal),
  find: (q: string) => get<s.Page<s.Found>>("/admin/v1/find", { q }),
  overview: (signal?: Signal) => get<s.Overview>("/admin/v1/overview", {}, signal),
  breakers: (signal?: Signal) => get<s.Page<s.Breaker>>("/admin/v1/breakers", {}, signal),

  orders: (query: Query, signal?: Signal) => get<s.Page<s.Order>>("/v1/orders", query, signal),
  sagas: (query: Query, signal?: Signal) => get<s.Page<s.Saga>>("/admin/v1/sagas", query, signal),
  order: (order: string, signal?: Signal) => get<s.Order>(`/v1/orders/${id(order)}`, {}, signal),
  saga: (order: string, signal?: Signal) => get<s.Saga>(`/admin/v1/sagas/${id(order)}`, {}, signal),
  orderEvents: (order: string, signal?: Signal) =>
    get<s.Page<s.JumunEvent>>(`/v1/orders/${id(order)}/events`, {}, signal),
  timeline: (order: string, signal?: Signal) =>
    get<s.Timeline>(`/admin/v1/orders/${id(order)}/timeline`, {}, signal),
  act: (order: string, action: s.OperatorAction, reason: string) =>
    write<s.Saga>("POST", `/admin/v1/sagas/${id(order)}/actions`, { action, reason }),
  actOnMany: (action: s.OperatorAction, reason: string, orders: string[], dryRun: boolean) =>
    write<s.BatchResult>("POST", "/admin/v1/sagas/actions", { action, reason, orders, dry_run: dryRun }),

  /** `of`: `orders/ord_…` or `actors/3`, encoded. */
  recording: (of: string, signal?: Signal) => get<s.Recording>(`/admin/v1/${of}/recording`, {}, signal),
  startRecording: (of: string, seconds: number, messages: number) =>
    write<s.Recording>("POST", `/admin/v1/${of}/recording`, { seconds, messages }),
  stopRecording: (of: string) => remove(`/admin/v1/${of}/recording`),

  actors: (query: Query, signal?: Signal) => get<s.Page<s.Actor>>("/admin/v1/actors", query, signal),
  actorTotals: (signal?: Signal) => get<s.Page<s.ActorTotal>>("/admin/v1/actor-totals", {}, signal),
  actor: (actor: string, signal?: Signal) => get<s.Actor>(`/admin/v1/actors/${id(actor)}`, {}, signal),
  restartActor: (actor: string, reason: string) =>
    write<{ id: string }>("POST", `/admin/v1/actors/${id(actor)}/restart`, { reason }),

  products: (signal?: Signal) => get<s.Page<s.Product>>("/v1/products", { limit: 200 }, signal),
  stock: (query: Query, signal?: Signal) => get<s.Page<s.Stock>>("/v1/inventory", query, signal),
  oneStock: (sku: string, signal?: Signal) => get<s.Stock>(`/v1/inventory/${id(sku)}`, {}, signal),
  movements: (sku: string, query: Query, signal?: Signal) =>
    get<s.Page<s.Movement>>(`/v1/inventory/${id(sku)}/movements`, query, signal),
  reservations: (sku: string, query: Query, signal?: Signal) =>
    get<s.Page<s.Reservation>>(`/admin/v1/inventory/${id(sku)}/reservations`, query, signal),
  checkStock: (sku: string) => get<s.StockCheck>(`/admin/v1/inventory/${id(sku)}/check`),
  adjustStock: (sku: string, delta: number, reason: string, reference: string | null) =>
    write<s.Stock>(
      "POST",
      `/v1/inventory/${id(sku)}/adjustments`,
      { delta, reason, ...(reference ? { reference } : {}) },
      { "Idempotency-Key": freshKey() },
    ),
  placeOrder: (body: unknown, headers: Record<string, string> = {}) =>
    write<s.Order>("POST", "/v1/orders", body, { "Idempotency-Key": freshKey(), ...headers }),

  events: (query: Query, signal?: Signal) => get<s.Page<s.JumunEvent>>("/v1/events", query, signal),

  shards: (signal?: Signal) => get<s.Page<s.Shard>>("/admin/v1/shards", {}, signal),
  cluster: (signal?: Signal) => get<s.Cluster>("/admin/v1/cluster", {}, signal),
  moveShard: (shard: number, to: string) => write<unknown>("POST", `/admin/v1/shards/${shard}/move`, { to }),
  drainNode: (node: string) => write<unknown>("POST", `/admin/v1/nodes/${id(node)}/drain`),

  storage: (signal?: Signal) => get<s.Figures>("/admin/v1/storage", {}, signal),
  backups: (signal?: Signal) => get<s.Page<s.Backup>>("/admin/v1/backups", {}, signal),
  makeBackup: () => write<s.Backup>("POST", "/admin/v1/backups"),

  attention: (signal?: Signal) => get<s.Page<s.AttentionGroup>>("/admin/v1/attention", {}, signal),

  audit: (query: Query, signal?: Signal) => get<s.Page<s.AuditEntry>>("/admin/v1/audit", query, signal),
  config: (signal?: Signal) => get<{ data: s.Setting[] }>("/admin/v1/config", {}, signal),
  logLevel: (signal?: Signal) => get<{ level: string }>("/admin/v1/log-level", {}, signal),
  setLogLevel: (level: string) => write<{ level: string }>("PUT", "/admin/v1/log-level", { level }),

  faults: (signal?: Signal) => get<s.Page<s.Fault>>("/admin/v1/faults", {}, signal),
  faultTargets: (signal?: Signal) => get<s.Page<s.FaultTarget>>("/admin/v1/fault-targets", {}, signal),
  setFault: (target: string, fault: { mode: string; delay_ms?: number; rate?: number; count?: number }) =>
    write<s.Fault>("PUT", `/admin/v1/faults/${id(target)}`, fault),
  clearFault: (target: string) => remove(`/admin/v1/faults/${id(target)}`),
};
