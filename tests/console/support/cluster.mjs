// One shop of several processes: etcd and nodes on this machine, on free ports.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.mjs";
import { Server } from "./server.mjs";
import { until } from "./until.mjs";

const tools = process.env.JUMUN_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "jumun/tools");
/** Where etcd is; undefined: nowhere (scripts/setup.sh brings it). */
export const etcdPath = [...(process.env.PATH ?? "").split(":"), tools].map((dir) => join(dir, "etcd")).find((file) => existsSync(file));

export class Cluster {
  async start(...names) {
    this.dir = mkdtempSync(join(tmpdir(), "jumun-console-etcd-"));
    const client = await freePort(), peer = `http://127.0.0.1:${await freePort()}`;
    this.etcd = spawn(etcdPath, ["--name", "etcd", "--data-dir", this.dir, "--listen-client-urls", `http://127.0.0.1:${client}`,
      "--advertise-client-urls", `http://127.0.0.1:${client}`, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
      "--initial-cluster", `etcd=${peer}`], { stdio: "ignore" });
    this.nodes = names.map((name) => new Server("--cluster", "console-test", "--node-id", name, "--etcd", `127.0.0.1:${client}`,
      "--cluster-port", "0", "--cluster-owners-min", String(names.length), "--simulator-node", names[0]));
    await until("etcd answers", () => fetch(`http://127.0.0.1:${client}/health`).then((a) => a.ok, () => false));
    await Promise.all(this.nodes.map((node) => node.start()));
    await this.served();
    return this;
  }
  /** Until every shard is served, as each node sees it. */
  served() {
    return until("all shards are served", async () => {
      for (const node of this.nodes) {
        const { data } = await node.ask("GET", "/admin/v1/shards").catch(() => ({ data: [] }));
        if (data.filter((s) => s.state === "running" && !s.moving_to).length < 256) return false;
      }
      return true;
    });
  }
  async remove() {
    await Promise.all(this.nodes.map((node) => node.remove()));
    this.etcd.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}
