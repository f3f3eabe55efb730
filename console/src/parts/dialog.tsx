import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ProblemNote } from "./problem";
import { t } from "../text";

/** A modal: the browser keeps the focus inside, Esc closes, the focus goes back to where it was. */
export function Modal({
  title,
  close,
  wide = false,
  children,
}: {
  title: string;
  close: () => void;
  wide?: boolean;
  children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const from = document.activeElement;
    box.current?.showModal();
    return () => {
      if (from instanceof HTMLElement) from.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
      onClick={(e) => {
        if (e.target === box.current) close();
      }}
    >
      <div class="inside">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface Ask {
  title: string;
  what: ComponentChildren; // what will happen
  verb: string; // of the button
  danger?: boolean;
  reason?: boolean; // a reason is asked for
  act: (reason: string) => Promise<unknown>;
  close: () => void;
}
/** Asks before something is done, for the reason where one is recorded, and shows why it was refused. */
export function Confirm({ title, what, verb, danger = false, reason = true, act, close }: Ask) {
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await act(why.trim());
      close();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  }
  const ready = !busy && (!reason || why.trim() !== "");
  return (
    <Modal title={title} close={close}>
      <form class="stack tight" onSubmit={(e) => void submit(e)} novalidate>
        <div class="quiet">{what}</div>
        {reason && (
          <label class="field">
            <span>{t.reason}</span>
            <textarea
              rows={2}
              maxLength={256}
              required
              value={why}
              placeholder={t.reasonHint}
              autoFocus
              onInput={(e) => setWhy(e.currentTarget.value)}
            />
          </label>
        )}
        <ProblemNote of={error} />
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            {t.goBack}
          </button>
          <button class={`button main ${danger ? "danger" : ""}`} disabled={!ready} autoFocus={!reason}>
            {busy ? t.working : verb}
          </button>
        </div>
      </form>
    </Modal>
  );
}
