import { now } from "../live/clock";
import { clock, dateTime, seconds } from "../lib/format";
import { t } from "../text";

/** How long ago, counting; the moment itself on hover. */
export function Ago({ at }: { at: string | number | null | undefined }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {t.ago(seconds(now.value - new Date(at).getTime()))}
    </time>
  );
}
/** How long since, without "ago". */
export function Age({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={dateTime(at)}>
      {seconds(now.value - new Date(at).getTime())}
    </time>
  );
}
export function Moment({ at }: { at: string }) {
  return (
    <time class="figures" dateTime={at} title={dateTime(at)}>
      {clock(at)}
    </time>
  );
}
/** Counts down to `to`. */
export function Countdown({ to }: { to: string | null | undefined }) {
  if (!to) return <>–</>;
  const left = new Date(to).getTime() - now.value;
  return (
    <time class="figures" role="timer" dateTime={to} title={dateTime(to)}>
      {left > 0 ? t.inTime(seconds(left)) : t.anyMoment}
    </time>
  );
}
