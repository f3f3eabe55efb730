import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { go } from "../lib/router";
import type { View } from "../routes";
import { Modal } from "./dialog";
import { t } from "../text";

const listed = signal(false);
const pairMs = 1_200; // between `g` and its letter

const typing = (e: KeyboardEvent): boolean =>
  (e.target as HTMLElement).closest("input, textarea, select, dialog") !== null ||
  e.ctrlKey ||
  e.metaKey ||
  e.altKey;

export function useShortcuts(views: View[]): void {
  useEffect(() => {
    let began = 0;
    function press(e: KeyboardEvent) {
      if (typing(e)) return;
      const view = views.find((v) => v.letter === e.key);
      if (Date.now() - began < pairMs && view) {
        e.preventDefault();
        go(view.path ? [view.path] : []);
      } else if (e.key === "/") {
        e.preventDefault();
        document.getElementById("find")?.focus();
      } else if (e.key === "?") listed.value = true;
      began = e.key === "g" ? Date.now() : 0;
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [views.length]);
}

export function Shortcuts() {
  if (!listed.value) return null;
  return (
    <Modal
      title={t.shortcuts}
      close={() => {
        listed.value = false;
      }}
    >
      <dl class="facts">
        {t.shortcutList.map(([keys, what]) => (
          <>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <div class="buttons">
        <button
          class="button"
          onClick={() => {
            listed.value = false;
          }}
        >
          {t.close}
        </button>
      </div>
    </Modal>
  );
}
