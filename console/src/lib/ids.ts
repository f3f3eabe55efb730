// What a person pastes: an id of any kind, with whatever is around it.
const crockford = "[0-9A-HJKMNP-TV-Z]{26}";

export type Pasted =
  | { kind: "order"; id: string }
  | { kind: "event"; id: string }
  | { kind: "trace"; id: string }
  | { kind: "actor"; id: string }
  | { kind: "unknown" };

/** Payments, deliveries and cancellations carry their order's own 26 letters. */
export function recognise(text: string): Pasted {
  const id = text.trim().match(new RegExp(`\\b(ord|pay|dlv|cxl|evt)_(${crockford})\\b`, "i"));
  if (id) {
    const prefix = id[1]!.toLowerCase(),
      letters = id[2]!.toUpperCase();
    if (prefix === "evt") return { kind: "event", id: `evt_${letters}` };
    const actor = text.trim().match(/^saga\/\S+$/);
    return actor ? { kind: "actor", id: text.trim() } : { kind: "order", id: `ord_${letters}` };
  }
  const trace = text.trim().match(/(?:^|[^0-9a-f])([0-9a-f]{32})(?:$|[^0-9a-f])/i);
  if (trace) return { kind: "trace", id: trace[1]!.toLowerCase() };
  if (/^(supervisor|inventory|payment|delivery)\/\d+$/.test(text.trim()))
    return { kind: "actor", id: text.trim() };
  return { kind: "unknown" };
}
