// Makes everything under static/ui from this folder and the pinned npm packages: `make assets`.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const sources = dirname(fileURLToPath(import.meta.url));
const root = join(sources, "../../../../..");
const out = join(sources, "../static/ui");
const packages = join(root, "node_modules");

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "fonts"), { recursive: true });

execFileSync(
  join(packages, ".bin/tailwindcss"),
  ["--input", join(sources, "ui.css"), "--output", join(out, "ui.css"), "--minify"],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);

copyFileSync(join(packages, "htmx.org/dist/htmx.min.js"), join(out, "htmx.js"));
copyFileSync(join(packages, "@alpinejs/csp/dist/cdn.min.js"), join(out, "alpine.js"));
// One file for every page: each script of the folder is a closed function, so their order does not matter.
const scripts = readdirSync(join(sources, "scripts")).filter((name) => name.endsWith(".js")).sort();
writeFileSync(join(out, "ui.js"), scripts.map((name) => readFileSync(join(sources, "scripts", name), "utf8")).join("\n"));
copyFileSync(join(sources, "icon.svg"), join(out, "icon.svg"));

const inter = join(packages, "@fontsource-variable/inter");
for (const subset of ["latin", "latin-ext"]) {
  copyFileSync(join(inter, `files/inter-${subset}-wght-normal.woff2`), join(out, `fonts/inter-${subset}.woff2`));
}
copyFileSync(join(inter, "LICENSE"), join(out, "fonts/LICENSE"));

const names = readFileSync(join(sources, "icons.txt"), "utf8").split(/\s+/).filter(Boolean).sort();
const symbols = names.map((name) => {
  const svg = readFileSync(join(packages, `lucide-static/icons/${name}.svg`), "utf8");
  const inner = svg.replace(/<!--.*?-->/gs, "").replace(/<svg[^>]*>/s, "").replace("</svg>", "").replace(/\s+/g, " ").trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
});
writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);

const versions = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies;
const licences = [
  ["htmx.js", "htmx.org", "htmx.org/LICENSE"],
  ["alpine.js", "@alpinejs/csp", null],
  ["icons.svg", "lucide-static", "lucide-static/LICENSE"],
  ["fonts/", "@fontsource-variable/inter", "@fontsource-variable/inter/LICENSE"],
  ["ui.css (reset and utilities)", "tailwindcss", "tailwindcss/LICENSE"],
];
writeFileSync(
  join(out, "LICENSES.txt"),
  licences
    .map(([file, name, path]) => {
      const meta = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));
      const text = path ? readFileSync(join(packages, path), "utf8").trim() : readFileSync(join(sources, "alpine-license.txt"), "utf8").trim();
      return `== ${file}: ${name} ${versions[name]}, ${meta.license}\n\n${text}\n`;
    })
    .join("\n"),
);

// The manifest lets a test see, without Node, that what is committed was built from what is committed.
const digest = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const files = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name !== "manifest.json")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
const listed = (paths) => Object.fromEntries(paths.map((path) => [relative(root, path), digest(path)]));
writeFileSync(
  join(out, "manifest.json"),
  JSON.stringify({ sources: listed([join(root, "package-lock.json"), ...files(sources)]), built: listed(files(out)) }, null, 1) + "\n",
);
