// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, device, enter, group, login, open, openChat, origin, send, until } from "./helpers.js";

/** @import {BrowserContext, Page} from "playwright-core" */

/** A point on P-256 and a secret, as a browser makes them (RFC 8291, appendix A). */
const KEYS = {
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
};

/** A browser without a window has no push service, so what it would answer is made up. */
async function withPushService() {
  const context = await device({ permissions: ["notifications"] });
  const endpoint = `https://push.example.com/${crypto.randomUUID()}`;
  await context.addInitScript(
    ({ keys, endpoint }) => {
      const bytes = (/** @type {string} */ text) =>
        Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0)).buffer;
      const remembered = () => localStorage.getItem("test.push");
      const made = (/** @type {string} */ key) => ({
        endpoint,
        options: { applicationServerKey: bytes(key) },
        getKey: (/** @type {'p256dh' | 'auth'} */ name) => bytes(keys[name]),
        unsubscribe: async () => {
          localStorage.removeItem("test.push");
          return true;
        },
      });
      const manager = /** @type {any} */ (PushManager.prototype);
      manager.getSubscription = async () => {
        const key = remembered();
        return key ? made(key) : null;
      };
      manager.subscribe = async (/** @type {any} */ { applicationServerKey }) => {
        const key = btoa(String.fromCharCode(...applicationServerKey)).replaceAll("+", "-").replaceAll("/", "_");
        localStorage.setItem("test.push", key);
        return made(key);
      };
    },
    { keys: KEYS, endpoint },
  );
  return { context, endpoint };
}

/** What the browser holds. @param {Page} page */
const held = (page) => page.evaluate(() => localStorage.getItem("test.push") !== null);

/** @param {Page} page @param {string} label */
const box = (page, label) => page.locator("dialog.settings").getByRole("switch", { name: label });

/** The next body of a call. @param {Page} page @param {string} method */
const asked = async (page, method) =>
  (
    await page.waitForRequest((request) => request.url().endsWith("/push/subscription") && request.method() === method)
  ).postDataJSON();

test("a device is subscribed by a click, renewed by a visit, forgotten by a log-out", { timeout: 60_000 }, async () => {
  const ann = await account("Ann");
  const { context, endpoint } = await withPushService();
  const page = await open(context);
  await login(page, ann.username);
  await page.getByRole("button", { name: "Settings" }).click();
  const here = box(page, "Notifications on this device");
  assert.equal(await here.isChecked(), false);
  const first = asked(page, "PUT");
  await here.click();
  assert.deepEqual(await first, { endpoint, keys: KEYS, shows_text: false });
  const second = asked(page, "PUT");
  await box(page, "Show the text").click();
  assert.equal((await second).shows_text, true);
  await until(() => box(page, "Show the text").isChecked(), "the text is shown");
  const third = asked(page, "PUT");
  await page.reload();
  assert.deepEqual(await third, { endpoint, keys: KEYS, shows_text: true });

  await page.getByRole("button", { name: "Settings" }).click();
  const taken = asked(page, "DELETE");
  await here.click();
  assert.deepEqual(await taken, { endpoint });
  await until(async () => !(await held(page)), "the browser has no subscription");
  await until(() => here.isEnabled(), "the switch can be used again");
  await here.click();
  await until(() => held(page), "it has one again");
  await page.getByRole("button", { name: "Log out" }).first().click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await until(async () => !(await held(page)), "the browser has no subscription");
  assert.equal(await page.evaluate(() => localStorage.getItem("windi.push")), null);
  assert.deepEqual(page.errors, []);
});

test("whoever has blocked notifications is told so", async () => {
  const ann = await account("Ann");
  const context = await device();
  await context.addInitScript(() => Object.defineProperty(Notification, "permission", { get: () => "denied" }));
  const page = await open(context);
  await login(page, ann.username);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByText("Notifications are blocked in this browser's settings for this page.").waitFor();
  assert.equal(await page.getByRole("switch").count(), 0);
});

/** Has the browser's push service bring something. @param {BrowserContext} context @param {Page} page */
async function pushService(context, page) {
  const browser = await context.newCDPSession(page);
  const registered = new Promise((/** @type {(id: string) => void} */ resolve) => {
    browser.on("ServiceWorker.workerRegistrationUpdated", ({ registrations: [registration] }) => {
      if (registration) resolve(registration.registrationId);
    });
  });
  await browser.send("ServiceWorker.enable");
  const registrationId = await registered;
  return (/** @type {any} */ push) =>
    browser.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: JSON.stringify(push) });
}

/** The notifications that are shown. @param {Page} page */
const shown = (page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/");
    const all = (await registration?.getNotifications()) ?? [];
    return all.map(({ title, body, tag }) => ({ title, body, tag }));
  });

test("a push is shown while no page is in front, one for each chat, and leads to it", { timeout: 60_000 }, async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Pushed", [ann, ben]);
  await send(ann.token, chat, "hello Ben");
  const { context } = await withPushService();
  const page = await open(context);
  await login(page, ben.username);
  await page.getByRole("button", { name: "Settings" }).click();
  await box(page, "Notifications on this device").click();
  await until(() => held(page), "it is subscribed");
  const deliver = await pushService(context, page);
  await deliver({ chat_id: chat, message_id: 1, title: "Pushed", body: "Ann: hello Ben" });
  await page.waitForTimeout(500);
  assert.deepEqual(await shown(page), [], "the page itself shows what is new");

  // Another page of the same origin, which is not the messenger.
  await page.goto(`${origin}/config.json`);
  await deliver({ chat_id: chat, message_id: 1, title: "Pushed" });
  await until(async () => (await shown(page)).length === 1, "it is shown");
  assert.deepEqual(await shown(page), [{ title: "Pushed", body: "New message", tag: chat }]);
  await deliver({ chat_id: chat, message_id: 2, title: "Pushed", body: "Ann: hello Ben" });
  await until(async () => (await shown(page))[0]?.body === "Ann: hello Ben", "it is replaced");
  assert.equal((await shown(page)).length, 1);

  const other = await open(context);
  await other.locator(".sidebar").waitFor();
  const [worker] = context.serviceWorkers();
  await worker?.evaluate(async () => {
    const scope = /** @type {any} */ (self);
    const [notification] = await scope.registration.getNotifications();
    scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification }));
  });
  await other.locator("#chat-title", { hasText: "Pushed" }).waitFor({ state: "attached" });
  await other.locator(".message", { hasText: "hello Ben" }).waitFor();

  await other.close();
  await deliver({ chat_id: chat, message_id: 3, title: "Pushed" });
  await until(async () => (await shown(page)).length === 1, "it is shown again");
  await openChat(await open(context), "Pushed");
  await until(async () => (await shown(page)).length === 0, "it is closed once the chat is open");
});

test("without a push service nothing is asked for", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Quiet", [ann, ben]);
  const page = await enter(ben);
  await openChat(page, "Quiet");
  const registered = await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  assert.equal(registered, 0);
  assert.deepEqual(page.errors, []);
});
