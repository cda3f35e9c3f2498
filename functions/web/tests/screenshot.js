// @ts-check
// Makes docs/screenshot.png: two people talk, in a messenger at WINDI_URL without anybody else in it.
//
//   WINDI_URL=http://localhost:3000 node functions/web/tests/screenshot.js

import { chromium } from "playwright-core";

const url = process.env.WINDI_URL ?? "http://localhost:3000";
const password = "correct horse battery";

/**
 * @param {string} path @param {unknown} body @param {string} [token]
 * @returns {Promise<any>}
 */
async function post(path, body, token) {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** @param {string} name @param {string} username */
async function person(name, username) {
  const { id } = await post("/auth/register", { name, username, email: `${username}@example.com`, password });
  const { access_token } = await post("/auth/login", { username, password });
  return { id, username, token: access_token };
}

const anna = await person("Anna Petrova", "anna");
const ben = await person("Ben Clark", "ben");
const chloe = await person("Chloé Martin", "chloe");
const chat = await post("/chats", { kind: "private", user_id: ben.id }, anna.token);
const group = await post(
  "/chats",
  { kind: "group", name: "Weekend in the hills", member_ids: [ben.id, chloe.id] },
  anna.token,
);
/** @param {{token: string}} who @param {{id: string}} where @param {string} text */
const say = (who, where, text) => post("/messages", { chat_id: where.id, text }, who.token);
await say(chloe, group, "Who has the tent?");
await say(ben, group, "Me");
await say(chloe, group, "Perfect. See you at the station!");
await say(anna, chat, "Hi Ben! Did you see the forecast?");
await say(ben, chat, "Yes, sunny on Saturday: https://example.com/forecast");
await say(anna, chat, "Then let us take the early train, at 7:40.");
await say(ben, chat, "I will bring coffee.");
const map = "And the map, the paper one. The phone had no reception last time, and we walked in circles for an hour.";
await say(ben, chat, map);
await say(anna, chat, "Three circles. Never again.");

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
/** @param {{username: string}} who */
async function open(who) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 640 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator("input").nth(0).fill(who.username);
  await page.locator("input").nth(1).fill(password);
  await page.keyboard.press("Enter");
  return page;
}
const other = await open(ben);
await other.getByText("Anna Petrova").first().click();
const page = await open(anna);
await page.getByText("Ben Clark").first().click();
await other.locator("textarea").fill("Dee");
await page.getByText("typing").first().waitFor();
await page.screenshot({ path: new URL("../../../docs/screenshot.png", import.meta.url).pathname });
await browser.close();
