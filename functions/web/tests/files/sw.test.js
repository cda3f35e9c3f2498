// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

const source = await readFile(new URL("../../sw.js", import.meta.url), "utf8");
const SCOPE = "https://chat.example.com/";

/** A browser around the service worker. @param {{language?: string, pages?: any[]}} [options] */
function browser({ language = "en-GB", pages = [] } = {}) {
  /** @type {Record<string, (event: any) => void>} */
  const listeners = {};
  /** @type {any[]} */
  const shown = [];
  /** @type {string[]} */
  const opened = [];
  const self = {
    navigator: { language },
    registration: { scope: SCOPE, showNotification: async (/** @type {any[]} */ ...shows) => shown.push(shows) },
    clients: { matchAll: async () => pages, openWindow: async (/** @type {string} */ url) => opened.push(url) },
    skipWaiting: async () => {},
    addEventListener: (/** @type {string} */ type, /** @type {any} */ listener) => (listeners[type] = listener),
  };
  runInNewContext(source, { self, URL });
  /** @param {string} type @param {any} event */
  const fire = async (type, event) => {
    /** @type {Promise<any>[]} */
    const work = [];
    listeners[type]?.({ ...event, waitUntil: (/** @type {Promise<any>} */ promise) => work.push(promise) });
    await Promise.all(work);
  };
  const push = (/** @type {any} */ data) => fire("push", { data: { json: () => data } });
  return { shown, opened, fire, push };
}

/** An open page. @param {Partial<{url: string, focused: boolean}>} [options] */
function page(options) {
  /** @type {any[]} */
  const told = [];
  const client = { url: `${SCOPE}#/`, focused: false, ...options, told, postMessage: (/** @type {any} */ it) => told.push(it) };
  return { ...client, focus: async () => told.push("focus") };
}

test("a push is one notification for each chat, with its text or a word for it", async () => {
  const { shown, push } = browser();
  await push({ chat_id: "c", message_id: 1, title: "Ann", body: "hello" });
  await push({ chat_id: "c", message_id: 2, title: "Ann" });
  assert.deepEqual(
    shown.map(([title, { body, tag, renotify }]) => [title, body, tag, renotify]),
    [
      ["Ann", "hello", "c", true],
      ["Ann", "New message", "c", true],
    ],
  );
  const russian = browser({ language: "ru" });
  await russian.push({ chat_id: "c", message_id: 1, title: "Ann" });
  assert.equal(russian.shown[0][1].body, "Новое сообщение");
});

test("a page in front shows by itself what is new, and no other page counts", async () => {
  for (const [open, count] of /** @type {[any, number][]} */ ([
    [page({ focused: true }), 0],
    [page(), 1],
    [page({ focused: true, url: `${SCOPE}docs` }), 1],
  ])) {
    const { shown, push } = browser({ pages: [open] });
    await push({ chat_id: "c", message_id: 1, title: "Ann" });
    assert.equal(shown.length, count, open.url);
  }
});

test("a notification leads to its chat, in an open page or in a new one", async () => {
  const notification = { close() {}, data: { chat_id: "019a/b" } };
  const closed = browser();
  await closed.fire("notificationclick", { notification });
  assert.deepEqual(closed.opened, [`${SCOPE}#/chat/019a%2Fb`]);
  const open = page();
  const { opened, fire } = browser({ pages: [page({ url: `${SCOPE}docs` }), open] });
  await fire("notificationclick", { notification });
  assert.deepEqual([opened, open.told.length], [[], 2]);
  assert.equal(open.told[0].type, "open");
  assert.equal(open.told[0].chat_id, "019a/b");
});

test("a subscription that the browser has renewed is told to the pages", async () => {
  const open = page();
  const { fire } = browser({ pages: [open] });
  await fire("pushsubscriptionchange", { newSubscription: {}, oldSubscription: null });
  assert.equal(open.told[0].type, "renewed");
});
