// The JSON of the server, as http/openapi/*.json describes it. Times are RFC 3339, money is in minor units.
export interface Money {
  amount: number;
  currency: string;
}
export interface Page<T> {
  data: T[];
  next_cursor: string | null;
  partial: boolean;
  missing_shards: number[];
}

export type Permission =
  | "look" // at anything but stock
  | "act"
  | "restart"
  | "record"
  | "move"
  | "drain"
  | "backup"
  | "faults"
  | "adjust_stock"
  | "place_orders"
  | "log_level"
  | "webhooks";
export interface Whoami {
  principal: string;
  roles: string;
  dev_mode: boolean;
  may: Permission[];
  node: string;
  version: string;
  cluster: string | null;
  faults_enabled: boolean;
}

export type OrderStatus =
  | "pending"
  | "reserving"
  | "paying"
  | "paid"
  | "preparing"
  | "shipped"
  | "delivered"
  | "rejected"
  | "cancelling"
  | "cancelled";
export type SagaState = "running" | "waiting" | "paused" | "blocked" | "done";
export type OperatorAction = "pause" | "resume" | "retry_now" | "cancel" | "resolve";

export interface Order {
  id: string;
  status: OrderStatus;
  saga: SagaState;
  customer_id: string;
  lines: { sku: string; name: string; quantity: number; unit_price: Money }[];
  total: Money;
  payment: { id: string; status: string; amount: Money; refunded: Money };
  delivery: { id: string; status: string };
  cancellation: { id: string; status: string; reason: string | null; requested_at: string } | null;
  failure: { code: string; detail: string } | null;
  allowed_actions: string[];
  version: number;
  created_at: string;
  updated_at: string;
}
export interface Saga {
  order_id: string;
  status: OrderStatus;
  saga: SagaState;
  phase: string;
  customer_id: string;
  allowed_actions: OperatorAction[];
  since: string | null;
  steps: { name: string; state: string }[];
  attempts: number;
  next_attempt_at: string | null;
  last_error: string | null;
  owner: { shard: number; node: string };
  money_at_risk: Money;
  explain: string;
  standing: {
    because: "cancelled" | "rejected" | null;
    failure_code: string | null;
    paused: boolean;
    blocked: boolean;
    poisoned: boolean;
    held_since: string | null;
    delivery: string;
    shipped: boolean;
    settled_outside: boolean;
  };
  version: number;
  created_at: string;
  updated_at: string;
}
export interface JumunEvent {
  id: string;
  type: string;
  source: string;
  subject: string;
  time: string;
  sequence: number;
  partitionkey: string;
  traceparent?: string;
  topic: string;
  cursor: string;
  data: Record<string, unknown>;
}

export interface Sample {
  accepted: number;
  settled: number;
  failed: number;
  settle_p50_ms: number | null;
  settle_p99_ms: number | null;
  commits: number;
  commit_p50_us: number | null;
  commit_p99_us: number | null;
  write_sets: number;
  open: number;
  blocked: number;
  requests: number;
  turned_away: number;
}
export type SampleName = keyof Sample;
export type History = { step_ms: number; from: string } & Record<SampleName, (number | null)[]>;
export interface NodeOverview {
  node: string;
  at: string;
  started_at: string;
  now: Sample;
  funnel: Record<
    "accepted" | "rejected" | "preparing" | "shipped" | "delivered" | "cancelled" | "blocked",
    number
  >;
  sagas: Record<"running" | "waiting" | "paused" | "blocked" | "recovering", number>;
  money_at_risk: Money[];
  oldest_open: { order_id: string; since: string; state: string } | null;
  breakers: { name: string; state: string; waiting: number }[];
  history?: History | null;
}
export interface Overview {
  nodes: NodeOverview[];
  missing_nodes: string[];
}

export interface Found {
  kind: "order" | "payment" | "delivery" | "cancellation" | "event" | "trace" | "actor" | "sku" | "customer";
  id: string;
  order_id: string | null;
  actor: string | null;
  sku: string | null;
  shard: number | null;
  node: string;
  what: string;
}

export interface RecordedMessage {
  at: string;
  at_us: number;
  from: string | null;
  to: string;
  message: string;
  order_id: string | null;
  wait_us: number | null;
  took_us: number;
}
export interface Recording {
  of: string;
  state: "recording" | "ended";
  began_at: string;
  ends_at: string;
  limit: number;
  seen: number;
  missing_nodes: string[];
  messages: RecordedMessage[] | null;
}
export interface Lane {
  id: string;
  actor?: string | null;
  node?: string | null;
  shard?: number | null;
}
export interface TimelineEntry {
  at: string;
  at_us: number; // unix time
  lane: string;
  kind: "event" | "commit" | "message";
  name: string;
  from: string | null;
  to: string | null;
  duration_us: number | null;
  wait_us: number | null;
  detail: string | null;
  event: JumunEvent | null;
}
export interface Timeline {
  order_id: string;
  lanes: Lane[];
  entries: TimelineEntry[];
  recording: Recording | null;
  missing_nodes: string[];
}

export type ActorState = "running" | "restarting" | "quarantined" | "dormant" | "gone";
export interface Actor {
  id: string;
  name: string;
  kind: string;
  parent: string | null;
  node: string;
  shard: number | null;
  state: ActorState;
  mailbox_depth: number;
  messages_handled: number;
  restarts: number;
  last_error: string | null;
  live_state?: Record<string, unknown>;
}
export interface ActorTotal {
  node: string;
  kind: string;
  count: number;
  running: number;
  restarting: number;
  quarantined: number;
  dormant: number;
  mailbox_depth: number;
  mailbox_depth_max: number;
  messages_handled: number;
  restarts: number;
}

export interface Product {
  sku: string;
  name: string;
  unit_price: Money;
  available: number;
}
export interface Stock {
  sku: string;
  on_hand: number;
  reserved: number;
  available: number;
  version: number;
}
export interface Movement {
  sku: string;
  number: number;
  delta: number;
  reason: string;
  reference: string | null;
  order_id?: string;
  on_hand: number;
  time: string;
}
export interface Reservation {
  order_id: string;
  line: number;
  quantity: number;
  since: string;
}
export interface StockCheck {
  sku: string;
  on_hand: number;
  reserved: number;
  movements_sum: number;
  movements: number;
  live_reservations_sum: number;
  live_reservations: number;
  drift: { on_hand: number; reserved: number };
  consistent: boolean;
  complete: boolean;
  checked_at: string;
}

export interface Shard {
  shard: number;
  owner: string | null;
  epoch: number;
  state: string;
  moving_to: string | null;
  lag_us: number | null; // how long what was appended waits for its commit
  mailbox: number | null; // messages that wait, of all its actors
  move: { from: string; to: string; step: string; rows: number; bytes: number } | null;
  sagas_open: number | null;
  decisions: number | null; // a counter of what was decided about its orders, durably
}
export interface Member {
  id: string;
  role: string;
  state: string;
  shards: number;
  release: string | null;
  incarnation: string | null;
  protocol: number;
  map_version: number;
  tunnel: string | null;
  http: string | null;
  ops: string | null;
}
export interface Peer {
  node: string;
  state: string;
  rtt_us: number;
  connects: number;
  in_flight: number;
  last_error: string | null;
}
export interface Cluster {
  node: string;
  coordinator: string;
  map_version: number;
  assigner: string | null;
  shards: number;
  members: Member[];
  sees: { node: string; map_version: number; agreement_error: string | null; peers: Peer[] }[];
}
export interface Breaker {
  name: string;
  state: string;
  since: string;
  calls_in_window: number;
  failures_in_window: number;
  in_flight: number;
  waiting: number;
  next_probe_at: string | null;
  opened_total: number;
  held_back_total: number;
}
export interface Backup {
  id: string;
  state: string;
  created_at: string;
  bytes: number;
  files: number;
  error: string | null;
}
export type Figures = Record<string, unknown>;

export interface AttentionGroup {
  node: string;
  phase: string;
  error: string;
  poisoned: boolean;
  count: number;
  money_at_risk: Money[];
  oldest_at: string;
  actions: OperatorAction[];
  orders: string[];
}
export interface Effect {
  order_id: string;
  outcome: string;
  detail: string;
  status: { from: string; to: string } | null;
  saga: { from: string; to: string } | null;
  phase: { from: string; to: string } | null;
  sends: string[];
  then: Saga | null; // as it would be
}
export interface BatchResult {
  action: OperatorAction;
  dry_run: boolean;
  data: Effect[];
}

export interface AuditEntry {
  time: string;
  principal: string;
  roles: string;
  action: string;
  target: string | null;
  reason: string | null;
  outcome: string;
  trace_id: string;
}
export interface Setting {
  key: string;
  value: string | number | boolean | null;
  default: string | number | boolean | null;
  source: string;
  allowed: string;
  unit: string;
  doc: string;
}
export interface Fault {
  target: string;
  mode: string;
  delay_ms: number;
  rate: number;
  count: number | null;
}
export interface FaultTarget {
  target: string;
  modes: string[];
}
export interface Readiness {
  status: string;
  checks: { name: string; ok: boolean; detail: string }[];
}
