import { useEffect, useRef } from "preact/hooks";
import { Problem } from "./api/http";
import { calls } from "./api/calls";
import { followOverview, totals } from "./live/overview";
import { link } from "./live/link";
import { asksForKey, forgetKey, key, may, who } from "./live/session";
import { usePoll } from "./live/poll";
import { href, place } from "./lib/router";
import { theme, type Theme } from "./lib/theme";
import { count } from "./lib/format";
import { ProblemNote } from "./parts/problem";
import { Icon } from "./parts/icons";
import { Toasts } from "./parts/toast";
import { Finder } from "./parts/finder";
import { KeyForm } from "./parts/key_form";
import { useShortcuts, Shortcuts } from "./parts/shortcuts";
import { views, type View } from "./routes";
import { language, t } from "./text";

/** Who may look at stock alone (an inventory's key) has that view alone. */
const shown = (v: View): boolean =>
  v.path === "inventory" || (may("look") && (v.path !== "faults" || (who.value?.faults_enabled ?? false)));

export function App() {
  useShortcuts(views.filter(shown));
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        {t.skip}
      </a>
      <div class="frame">
        <Top />
        <Notices />
        {asksForKey.value ? (
          <>
            <span />
            <main id="main" tabIndex={-1}>
              <KeyForm />
            </main>
          </>
        ) : (
          <Signed key={key.value} />
        )}
      </div>
      <Toasts />
      <Shortcuts />
    </>
  );
}

/** What is there for somebody whom the server knows (in dev mode: everyone). */
function Signed() {
  const { live } = usePoll(
    async (signal) => {
      who.value = await calls.whoami(signal);
      return who.value;
    },
    30_000,
    [],
  );
  const known = who.value !== null;
  const looks = known && may("look");
  useEffect(() => (looks ? followOverview() : undefined), [looks]);
  if (live.value.error instanceof Problem && live.value.error.status === 403) {
    return (
      <>
        <span />
        <main id="main" tabIndex={-1}>
          <div class="problem" role="alert">
            <strong>{t.keyForbidden}</strong>
          </div>
          <div>
            <button class="button" onClick={forgetKey}>
              {t.signOut}
            </button>
          </div>
        </main>
      </>
    );
  }
  return (
    <>
      <Nav />
      <main id="main" tabIndex={-1}>
        {known ? (
          <Current />
        ) : live.value.error ? (
          <ProblemNote of={live.value.error} />
        ) : (
          <div class="empty">{t.loading}</div>
        )}
      </main>
    </>
  );
}

function Current() {
  const [first, ...rest] = place.value.path;
  const path = first ?? (may("look") ? "" : "inventory");
  const view = views.find((v) => v.path === path && shown(v));
  const id = rest.join("/");
  if (!view || (id && !view.one)) return <div class="empty">{t.notFoundView}</div>;
  const One = view.one,
    All = view.all;
  return id && One ? <One key={id} id={id} /> : <All key={path} />;
}

function Top() {
  const themes: Theme[] = ["auto", "light", "dark"];
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length]!;
  return (
    <header class="top">
      <a class="brand" href={href([])}>
        <img src="icon.svg" alt="" />
        Jumun <small class="figures">{who.value?.cluster ?? who.value?.node ?? ""}</small>
      </a>
      <Finder />
      <div class="tools">
        <LinkState />
        <button
          class="button plain"
          onClick={() => {
            language.value = language.value === "en" ? "ko" : "en";
          }}
          lang={language.value === "en" ? "ko" : "en"}
        >
          {t.language}
        </button>
        <button
          class="button plain"
          aria-label={`${t.theme}: ${t.themes[theme.value]}`}
          title={`${t.theme}: ${t.themes[theme.value]}`}
          onClick={() => {
            theme.value = next;
          }}
        >
          <Icon name={theme.value === "dark" ? "moon" : theme.value === "light" ? "sun" : "auto"} />
        </button>
        {key.value && who.value && (
          <button
            class="button plain"
            title={t.signedIn(who.value.principal, who.value.roles)}
            onClick={forgetKey}
          >
            {t.signOut}
          </button>
        )}
      </div>
    </header>
  );
}

function LinkState() {
  const lost = link.value.state === "lost";
  return (
    <span class={`live ${lost ? "lost" : ""}`}>
      <i aria-hidden="true" />
      <span>{lost ? t.states.away : t.live}</span>
    </span>
  );
}

/** What concerns the whole page: no connection, a restart, dev mode. */
function Notices() {
  const { state, node } = link.value;
  return (
    <div class="bars">
      {who.value?.dev_mode && <div class="bar warn small">{t.devMode}</div>}
      <div role="status" aria-live="assertive">
        {state === "lost" && <div class="bar bad">{t.lost}</div>}
        {state === "back" && <div class="bar good">{t.back}</div>}
        {state === "restarted" && <div class="bar good">{t.restarted(node ?? "")}</div>}
      </div>
    </div>
  );
}

function Nav() {
  const current = place.value.path[0] ?? (may("look") ? "" : "inventory");
  const blocked = totals.value?.sagas.blocked ?? 0;
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [current]);
  return (
    <nav class="nav" aria-label={t.mainNav} ref={box}>
      <ul>
        {views.filter(shown).map((v) => (
          <li key={v.path}>
            <a href={href(v.path ? [v.path] : [])} aria-current={v.path === current ? "page" : undefined}>
              <Icon name={v.icon} />
              {t[v.title]}
              {v.path === "attention" && blocked > 0 && <span class="count">{count(blocked)}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
