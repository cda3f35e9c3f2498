// @ts-check
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import en from "../../i18n/en.js";

const root = new URL("../../", import.meta.url);
/** @param {string} path */
const read = (path) => readFile(new URL(path, root), "utf8");

/** All modules that a module needs before it can run. @param {string} path @param {Set<string>} found */
async function modules(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const source = await read(path);
  for (const [, specifier] of source.matchAll(/(?:^|[;\s}])(?:from|import)\s*"(\.[^"]+)"/g)) {
    const target = new URL(String(specifier), new URL(path, root)).href.slice(root.href.length);
    await modules(target, found);
  }
  return found;
}

test("the page names all its modules, so that a browser does not find them one after the other", async () => {
  const needed = [...(await modules("app.js"))].filter((path) => path !== "app.js").sort();
  const html = await read("index.html");
  const named = [...html.matchAll(/rel="modulepreload" href="\.\/([^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual(named.sort(), needed);
});

test("the first visit is less than 150 KB compressed", async () => {
  const others = ["index.html", "style.css", "icons.svg", "icon.svg", "manifest.json", "i18n/ru.js"];
  const files = [...(await modules("app.js")), ...others];
  let size = 0;
  for (const file of files) size += gzipSync(await read(file)).length;
  assert.ok(size < 150_000, `${size} bytes`);
});

test("a language has the words of English, with the same values in them", async () => {
  const values = (/** @type {any} */ entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();
  for (const file of await readdir(new URL("i18n/", root))) {
    const { default: words } = await import(new URL(`i18n/${file}`, root).href);
    assert.deepEqual(Object.keys(words).sort(), Object.keys(en).sort(), file);
    for (const [key, entry] of Object.entries(en)) assert.deepEqual(values(words[key]), values(entry), `${file}: ${key}`);
  }
});

test("every word the page asks for exists, and every word is asked for", async () => {
  const sources = await Promise.all((await readdir(new URL("app/", root))).map((file) => read(`app/${file}`)));
  const all = [...sources, await read("app.js")].join("\n");
  const asked = new Set([...all.matchAll(/"([a-z]+\.[A-Za-z_.]+)"/g)].map(([, key]) => key));
  const missing = [...all.matchAll(/\bt\("([^"]+)"/g)].map(([, key]) => String(key)).filter((key) => !(key in en));
  assert.deepEqual(missing, []);
  const spelled = /^(error|ended|role|service|settings\.add)\./;
  const unused = Object.keys(en).filter((key) => !asked.has(key) && !spelled.test(key));
  assert.deepEqual(unused, []);
});

test("nothing in the page is inline, or leads to another origin", async () => {
  const html = await read("index.html");
  assert.doesNotMatch(html, /<script(?![^>]* src="\.\/)|<style|\sstyle=|\son\w+=|(?:src|href)="(?!\.\/)/);
  assert.doesNotMatch(await read("style.css"), /@import|url\(/);
});
