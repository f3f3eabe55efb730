// The real binary as a process, on ports of its own, with a folder of its own.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.mjs";
import { until } from "./until.mjs";

const binary = process.env.JUMUN_BINARY ?? "build/jumun";
const bindFailed = 9; // docs: exit codes

export class Server {
  #args;
  #child;
  #ports; // its own, also while it is down
  constructor(...args) {
    this.dir = mkdtempSync(join(tmpdir(), "jumun-console-"));
    this.#args = args;
  }
  /** The second start comes up on the same ports, as a restarted server does. */
  async start(...more) {
    this.#args.push(...more);
    const again = this.ops !== undefined;
    for (let tries = 1; ; tries++) {
      if (!again) this.#ports = [await freePort(), await freePort()];
      try {
        return await this.#begin();
      } catch (why) {
        if (again || why.code !== bindFailed || tries === 5) throw why; // somebody was faster: others are free
      }
    }
  }
  async #begin() {
    const addresses = join(this.dir, "addresses");
    rmSync(addresses, { force: true });
    const [port, opsPort] = this.#ports.map(String);
    const child = this.#child = spawn(binary, ["serve", "--data-dir", join(this.dir, "data"), "--address-file", addresses, "--port", port,
      "--ops-port", opsPort, ...this.#args], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => {
      said = (said + text).slice(-4_000);
      if (process.env.JUMUN_TEST_LOG) process.stderr.write(text);
    });
    const dead = new Promise((_, fail) => child.once("close", (code, signal) =>
      fail(Object.assign(new Error(`the server ended with ${code ?? signal}:\n${said}`), { code }))));
    dead.catch(() => {});
    const ready = () => child.exitCode !== null || (existsSync(addresses) && /ops=\S+/.test(readFileSync(addresses, "utf8")));
    await Promise.race([dead, until("the server is ready", ready)]);
    if (child.exitCode !== null) await dead;
    const text = readFileSync(addresses, "utf8");
    this.shop = text.match(/public=(\S+)/)[1];
    this.ops = text.match(/ops=(\S+)/)[1];
    return this;
  }
  get pid() {
    return this.#child.pid;
  }
  async stop(signal = "SIGTERM") {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await ended;
  }
  async remove() {
    await this.stop("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Asks its API; the parsed answer. Throws what a test should not have met. */
  async ask(method, path, body, headers = {}) {
    const base = path.startsWith("/admin") || path.endsWith("z") ? this.ops : this.shop;
    const answer = await fetch(base + path, {
      method,
      headers: { ...(body ? { "Content-Type": "application/json" } : {}), ...(this.key ? { Authorization: `Bearer ${this.key}` } : {}), ...headers },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}

/** `jumun keys add`: the secret is the last word that it prints. */
export function addKey(file, principal, role) {
  const said = spawnSync(binary, ["keys", "add", "--file", file, "--principal", principal, "--role", role], { encoding: "utf8" });
  if (said.status !== 0) throw new Error(`jumun keys add: ${said.stderr}`);
  return said.stdout.trim().split(/\s+/).at(-1);
}
