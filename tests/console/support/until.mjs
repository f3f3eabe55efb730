/** How long anything may take before a test fails: a loaded machine is slow, and a test that passes does not wait. */
export const patienceMs = 180_000;

/** Waits until `what` holds, asking again and again; throws its name when it does not. */
export async function until(name, what, ms = patienceMs) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in ${ms} ms: ${name}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}
