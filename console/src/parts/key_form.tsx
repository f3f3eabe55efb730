import { useState } from "preact/hooks";
import { enterKey, key } from "../live/session";
import { t } from "../text";

/** The server answered 401: a person types the key in. */
export function KeyForm() {
  const [text, setText] = useState("");
  const submit = (e: Event) => {
    e.preventDefault();
    if (text.trim()) enterKey(text.trim());
  };
  return (
    <section class="card keyform">
      <form class="body stack" onSubmit={submit}>
        <h1>{t.keyTitle}</h1>
        <p class="quiet">{t.keyWhat}</p>
        {key.value && (
          <div class="problem" role="alert">
            {t.keyWrong}
          </div>
        )}
        <label class="field">
          <span>{t.keyLabel}</span>
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            autoFocus
            value={text}
            onInput={(e) => setText(e.currentTarget.value)}
          />
        </label>
        <div>
          <button class="button main">{t.enter}</button>
        </div>
      </form>
    </section>
  );
}
