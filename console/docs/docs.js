// Fetches the description, with a key where the server asks for one, and hands it to the viewer.
// The key stays in this page's memory: it is in no storage, and gone with the page.
"use strict";

const form = document.getElementById("ask");
const said = document.getElementById("said");
const place = document.getElementById("api");

const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

function show(spec, key) {
  form.hidden = true;
  place.replaceChildren();
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#api",
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    onComplete: () => { if (key) ui.preauthorizeApiKey("key", key); },
  });
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "wait";
  line.textContent = text;
  place.replaceChildren(line);
}

async function load(key) {
  const answer = await fetch("/openapi.json", {
    headers: key ? { Authorization: `Bearer ${key}` } : {},
    credentials: "omit",
  });
  if (answer.ok) return show(await answer.json(), key);
  if (answer.status !== 401) return tell(`/openapi.json answered ${answer.status}.`);
  place.replaceChildren();
  form.hidden = false;
  said.textContent = key ? "The server does not know this key." : "";
  document.getElementById("key").focus();
}
const start = (key) => load(key).catch((why) => tell(`The server can't be reached: ${why.message}`));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start(document.getElementById("key").value.trim());
});
start("");
