// Runs the files that are named (all without a name), one after the other in this process: two cores are not many.
// 77: skipped (ctest knows it), because there is no browser.
import { existsSync } from "node:fs";
import { chromiumPath } from "./support/browser.mjs";

if (!existsSync(chromiumPath)) {
  console.log(`skipped: there is no ${chromiumPath}; scripts/setup.sh installs Debian's chromium`);
  process.exit(77);
}
const all = ["views", "actions", "access", "outage", "people", "weight", "cluster"];
const named = process.argv.slice(2);
for (const name of named.length ? named : all) await import(`./${name}.test.mjs`);
