/** Turns counters that only rise into rates: the difference between two readings of the same thing. */
export class Rates {
  private before = new Map<string, { value: number; at: number }>();
  /** Per second; null at the first reading, and after a restart that began the counter anew. */
  take(id: string, value: number, at: number): number | null {
    const last = this.before.get(id);
    if (last?.at === at) return this.kept.get(id) ?? null;
    this.before.set(id, { value, at });
    const rate =
      last && value >= last.value && at > last.at ? ((value - last.value) * 1_000) / (at - last.at) : null;
    this.kept.set(id, rate);
    return rate;
  }
  private kept = new Map<string, number | null>();
}
