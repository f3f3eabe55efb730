import { named, t } from "../text";

type Tone = "good" | "info" | "warn" | "bad" | "idle" | "";
const tones: Record<string, Tone> = {
  // sagas
  running: "info",
  waiting: "warn",
  paused: "idle",
  blocked: "bad",
  done: "good",
  recovering: "warn",
  // orders
  pending: "info",
  reserving: "info",
  paying: "info",
  paid: "info",
  preparing: "good",
  shipped: "good",
  delivered: "good",
  rejected: "",
  cancelling: "warn",
  cancelled: "",
  // actors, shards, nodes, breakers, backups, deliveries, payments
  restarting: "warn",
  quarantined: "bad",
  dormant: "idle",
  gone: "",
  up: "good",
  away: "bad",
  draining: "warn",
  elsewhere: "bad",
  refused: "bad",
  closed: "good",
  open: "bad",
  "half-open": "warn",
  failed: "bad",
  approved: "good",
  declined: "bad",
  unknown: "warn",
  started: "info",
  picked_up: "info",
  refunded: "",
  voided: "",
  resolved: "idle",
  // effects of an action
  "would-act": "info",
  "no-op": "",
  "action-not-allowed": "warn",
  "not-found": "bad",
  "shard-unavailable": "bad",
  // recordings, steps
  recording: "info",
  ended: "",
  undone: "",
  undoing: "warn",
};

/** A state, as a word on a colour; never as a colour alone. */
export function Chip({ state, words = t.states }: { state: string; words?: Record<string, string> }) {
  return <span class={`chip ${tones[state] ?? ""}`}>{named(words, state)}</span>;
}
