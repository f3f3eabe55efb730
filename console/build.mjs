// Checks the types, bundles src/ into dist/, and packs each file with gzip: all in the folder that it is run in,
// which has node_modules and a link to src (console.cmake). Fails when the page weighs more than it may.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const gzippedBytesMax = 150_000; // all files together, as they travel
const here = process.cwd();
const out = join(here, "dist");
mkdirSync(out, { recursive: true });

execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", here], {
  stdio: "inherit",
});
const { build } = await import(join(here, "node_modules/esbuild/lib/main.js"));
await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/main.tsx", out: "console" },
    { in: "src/style/all.css", out: "console" },
  ],
  outdir: out,
  bundle: true,
  minify: true,
  preserveSymlinks: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".woff2": "copy" },
  assetNames: "inter",
  legalComments: "none",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) copyFileSync(join(here, "src", name), join(out, name));

let travels = 0;
for (const name of readdirSync(out).filter((n) => /\.(html|js|css|svg|woff2)$/.test(n))) {
  const bytes = readFileSync(join(out, name));
  const packed = gzipSync(bytes, { level: 9 });
  if (!name.endsWith(".woff2")) writeFileSync(join(out, `${name}.gz`), packed); // woff2 is packed already
  travels += name.endsWith(".woff2") ? bytes.length : packed.length;
}
console.log(`console: ${travels} bytes gzipped, of ${gzippedBytesMax} at most`);
if (travels > gzippedBytesMax) process.exit(1);
