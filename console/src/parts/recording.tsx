// Messages of one order or actor, recorded for a while: bounded in time and in number, by the server.
import { useState } from "preact/hooks";
import { calls } from "../api/calls";
import type { Recording } from "../api/shapes";
import { may } from "../live/session";
import { count } from "../lib/format";
import { Chip } from "./chip";
import { Countdown } from "./time";
import { toast } from "./toast";
import { t } from "../text";

const recordSeconds = 60,
  recordMessages = 2_000;

export function RecordingControl({
  of,
  recording,
  changed,
}: {
  of: string;
  recording: Recording | null;
  changed: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const running = recording?.state === "recording";
  async function run(what: () => Promise<unknown>) {
    setBusy(true);
    try {
      await what();
      changed();
    } catch (why) {
      toast(String((why as Error).message), true);
    }
    setBusy(false);
  }
  return (
    <span class="row">
      {recording && <span class="quiet figures">{t.messagesSeen(count(recording.seen))}</span>}
      {running && (
        <>
          <Chip state="recording" /> <Countdown to={recording.ends_at} />
        </>
      )}
      {may("record") &&
        (running ? (
          <button class="button tiny" disabled={busy} onClick={() => void run(() => calls.stopRecording(of))}>
            {t.stopRecording}
          </button>
        ) : (
          <button
            class="button tiny"
            disabled={busy}
            title={t.recordWhat(recordSeconds, count(recordMessages))}
            onClick={() => void run(() => calls.startRecording(of, recordSeconds, recordMessages))}
          >
            {t.startRecording(recordSeconds)}
          </button>
        ))}
    </span>
  );
}
