// What comes from the network is shown once a frame, however much of it there is.
import { batch } from "@preact/signals";

let waiting: (() => void)[] = [];

function flush(): void {
  const now = waiting;
  waiting = [];
  batch(() => now.forEach((change) => change()));
}

/** Makes the change at the next frame, together with all others. A hidden page has no frames: at once. */
export function paint(change: () => void): void {
  if (document.hidden) return batch(change);
  if (waiting.push(change) === 1) requestAnimationFrame(flush);
}
