/** Waits until `what` holds, asking again and again; throws its name when it does not. */
export async function until(name, what, ms = 60_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in ${ms} ms: ${name}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}
