// @ts-check
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";

/** @import {Browser, BrowserContext, BrowserContextOptions, Page} from "playwright-core" */

const root = new URL("../", import.meta.url);
/** The page and the API are on this origin. */
export const origin = (process.env["WINDI_URL"] ?? "http://localhost:3000").replace(/\/$/, "");
export const PASSWORD = "password123";

/** @type {Promise<Browser> | null} */
let browser = null;

/** The one browser of a test file. */
export function launch() {
  browser ??= chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    // Files served by the test itself come from no address, and may otherwise not open a socket to a local one.
    args: ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"],
  });
  return browser;
}

after(async () => {
  await (await browser)?.close();
});

/** A policy stricter than this one would break the page; a server may add to it. */
const policy = (/** @type {string} */ at) =>
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' " +
  `${at.replace(/^http/, "ws")}; ` +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/** @type {Record<string, string>} */
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/**
 * Serves the page's files from this directory, for a messenger that does not serve them itself.
 * @param {BrowserContext} context
 * @param {string} at its origin
 */
async function serveFiles(context, at) {
  await context.route(
    (url) => url.origin === at && (url.pathname === "/" || /\.(html|js|css|svg|json)$/.test(url.pathname)),
    async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === "/config.json") {
        return route.fulfill({ json: { web_socket_url: `${at.replace(/^http/, "ws")}/ws` } });
      }
      const file = new URL(pathname === "/" ? "index.html" : pathname.slice(1), root);
      const contentType = TYPES[extname(file.pathname)] ?? "application/json";
      const body = await readFile(file).catch(() => null);
      if (!body) return route.fulfill({ status: 404 });
      await route.fulfill({
        body,
        headers: { "content-type": contentType, "content-security-policy": policy(at) },
      });
    },
  );
}

/**
 * A browser of its own, with an empty storage. Errors in its console end the test that looks at `errors`.
 * @param {BrowserContextOptions & {at?: string}} [options]
 */
export async function device({ at = origin, ...options } = {}) {
  const context = await (await launch()).newContext({ locale: "en-GB", ...options });
  // An offline browser keeps its sockets, so that the tests must close them.
  await context.addInitScript(() => {
    const all = /** @type {any} */ (window);
    all.sockets = [];
    all.WebSocket = class extends WebSocket {
      /** @param {string} url @param {string[]} protocols */
      constructor(url, protocols) {
        super(url, protocols);
        all.sockets.push(this);
      }
    };
  });
  if ((await fetch(`${at}/`)).status === 404) await serveFiles(context, at);
  return context;
}

/** @param {BrowserContext} context @param {string} [at] @returns {Promise<Page & {errors: string[]}>} */
export async function open(context, at = origin) {
  const page = /** @type {Page & {errors: string[]}} */ (await context.newPage());
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error.stack)));
  page.on("console", (message) => {
    // The browser itself reports refused requests, and what is sent while a connection breaks. Some tests need both.
    const text = message.text();
    const isOurs = !/^(Failed to load|WebSocket connection|WebSocket is already in CLOSING)/.test(text);
    if (message.type() === "error" && isOurs) page.errors.push(text);
  });
  await page.goto(`${at}/`);
  await page.waitForSelector("form, .sidebar");
  return page;
}

/** @param {string} name */
export const unique = (name) => `${name.toLowerCase().replace(/[^a-z].*/, "")}-${crypto.randomUUID().slice(0, 8)}`;

/** Registers through the form. @param {Page} page @param {string} name @returns {Promise<string>} the username */
export async function register(page, name) {
  const username = unique(name);
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("E-mail").fill(`${username}@example.com`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.waitForSelector(".sidebar");
  return username;
}

/** @param {Page} page @param {string} username @param {string} [password] */
export async function login(page, username, password = PASSWORD) {
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".sidebar");
}

/** Somebody known to the API only. @param {string} name @param {string} [at] */
export async function account(name, at = origin) {
  const username = unique(name);
  const body = { name, username, email: `${username}@example.com`, password: PASSWORD };
  const { id } = await call("POST", "/auth/register", null, body, at);
  const { access_token: token } = await call("POST", "/auth/login", null, { username, password: PASSWORD }, at);
  return { id, name, username, token };
}

/** @param {string} method @param {string} path @param {string | null} token @param {any} [body] @param {string} [at] */
export async function call(method, path, token, body, at = origin) {
  const response = await fetch(at + path, {
    method,
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** @param {string} token @param {string} chat_id @param {string} text @param {string} [at] */
export const send = (token, chat_id, text, at) => call("POST", "/messages", token, { chat_id, text }, at);

/** A group made by its first member. @param {string} name @param {Array<{id: string, token: string}>} members */
export async function group(name, [owner, ...others]) {
  const body = { kind: "group", name, member_ids: others.map(({ id }) => id) };
  return (await call("POST", "/chats", owner?.token ?? null, body)).id;
}

/** Opens a page as somebody. @param {{username: string}} person @param {Parameters<typeof device>[0]} [options] */
export async function enter(person, options) {
  const page = await open(await device(options), options?.at);
  await login(page, person.username);
  return page;
}

/** @param {Page} page @param {string} title */
export async function openChat(page, title) {
  await page.locator(".sidebar a.item", { hasText: title }).first().click();
  await page.locator("#chat-title", { hasText: title }).waitFor({ state: "attached" });
  await page.locator("#messages[data-chat]").waitFor();
}

/** @param {Page} page @param {string} text */
export async function write(page, text) {
  await page.locator("#composer").fill(text);
  await page.locator("#composer").press("Enter");
}

/** The texts in sight or near it, in order. @param {Page} page @returns {Promise<string[]>} */
export const texts = (page) => page.locator(".message .text").allInnerTexts();

/** Cuts the connection, sockets included. @param {Page} page */
export async function goOffline(page) {
  await page.context().setOffline(true);
  await page.evaluate(() => /** @type {any} */ (window).sockets.forEach((/** @type {WebSocket} */ s) => s.close()));
}

/** @param {() => Promise<boolean>} condition @param {string} what @param {number} [patience] milliseconds */
export async function until(condition, what, patience = 20_000) {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
