import { toast } from "./toast";
import { Icon } from "./icons";
import { t } from "../text";

/** Where the page is no "secure context", the clipboard needs the old way. */
async function toClipboard(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea");
  box.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}
export function Copy({ text, label }: { text: () => string; label: string }) {
  const copy = () =>
    void toClipboard(text()).then(
      () => toast(t.copied),
      () => toast(t.notCopied, true),
    );
  return (
    <button type="button" class="button tiny" onClick={copy}>
      <Icon name="copy" />
      {label}
    </button>
  );
}

/** Hands a file to the person; nothing leaves the machine. */
export function Download({ name, content, label }: { name: string; content: () => unknown; label: string }) {
  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify(content(), null, 2)], { type: "application/json" }),
    );
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  return (
    <button type="button" class="button tiny" onClick={save}>
      <Icon name="down" />
      {label}
    </button>
  );
}
