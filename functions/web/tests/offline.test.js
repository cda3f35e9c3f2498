// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  account,
  device,
  enter,
  goOffline,
  group,
  login,
  open,
  openChat,
  send,
  texts,
  until,
  write,
} from "./helpers.js";

const thirty = Array.from({ length: 30 }, (_, i) => `missed ${i + 1}`);

test("whoever was offline sees all that was missed, in order, and sends what was waiting", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Tunnel", [ann, ben]);
  const page = await enter(ann);
  await openChat(page, "Tunnel");
  await write(page, "before");
  await page.locator(".message .ticks[title=Sent]").waitFor();
  await goOffline(page);
  await page.locator(".bar").waitFor();
  await write(page, "from the tunnel");
  await page.locator(".message .ticks[title=Sending]").waitFor();
  for (const text of thirty) await send(ben.token, chat, text);
  await page.context().setOffline(false);
  await until(async () => (await page.locator(".bar").count()) === 0, "it is connected");
  const wanted = ["before", ...thirty, "from the tunnel"];
  await until(async () => (await texts(page)).join() === wanted.join(), "all is there, once and in order");
  assert.deepEqual(page.errors, []);
});

test("a reload keeps a message that was not sent, and a draft", async () => {
  const ann = await account("Ann");
  const chat = await group("Reload", [ann]);
  await group("Drafts", [ann]);
  const page = await enter(ann);
  await openChat(page, "Drafts");
  await page.locator("#composer").fill("begun");
  await openChat(page, "Reload");
  // The page itself can be loaded, but nothing behind it answers.
  await page.context().route(/\/messages$/, (route) => route.abort());
  await page.context().routeWebSocket(/\/ws$/, (socket) => socket.close());
  await page.evaluate(() => /** @type {any} */ (window).sockets.forEach((/** @type {WebSocket} */ s) => s.close()));
  await page.locator(".bar").waitFor();
  await write(page, "not sent yet");
  await page.locator(".message.pending").waitFor();
  await page.reload();
  await page.locator(".message.pending .text", { hasText: "not sent yet" }).waitFor();
  await page.locator("a.item", { hasText: "Drafts" }).getByText("begun").waitFor();
  await page.context().unroute(/\/messages$/);
  await page.locator(".message .ticks[title=Sent]").waitFor({ timeout: 40_000 });
  await openChat(page, "Drafts");
  assert.equal(await page.locator("#composer").inputValue(), "begun");
  assert.ok(chat);
});

test("two tabs whose token has expired refresh it once, and both go on", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Tabs", [ann, ben]);
  const first = await enter(ann);
  const second = await open(first.context());
  await second.locator("a.item", { hasText: "Tabs" }).waitFor();
  await first.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("windi");
        request.onsuccess = () => {
          const store = request.result.transaction("values", "readwrite").objectStore("values");
          const read = store.get("session");
          read.onsuccess = () => {
            const write = store.put({ ...read.result, expires_at: 0 }, "session");
            write.onsuccess = () => resolve(null);
          };
        };
      }),
  );
  let refreshes = 0;
  first.context().on("request", (request) => {
    if (request.url().endsWith("/auth/refresh")) refreshes++;
  });
  await Promise.all([first.reload(), second.reload()]);
  for (const page of [first, second]) {
    await openChat(page, "Tabs");
    await page.locator("#composer").waitFor();
  }
  await write(first, "from the first");
  await second.getByText("from the first").last().waitFor();
  await write(second, "from the second");
  await first.getByText("from the second").last().waitFor();
  assert.equal(refreshes, 1);
  await send(ben.token, chat, "for both");
  for (const page of [first, second]) await page.locator(".message", { hasText: "for both" }).waitFor();
});

test("without the address of the socket the page waits, and asks for it again", { timeout: 60_000 }, async () => {
  const ann = await account("Ann");
  const context = await device();
  let asked = 0;
  // No answer at all, then one that is no address.
  await context.route("**/config.json", async (route) => {
    if (++asked === 2) await route.fulfill({ json: {} });
    else if (asked > 2) await route.fallback();
  });
  const page = await open(context);
  await login(page, ann.username);
  await page.getByRole("button", { name: "Try now" }).waitFor({ timeout: 15_000 });
  await until(async () => (await page.locator(".bar").count()) === 0, "it is connected");
  assert.ok(asked >= 3, `${asked} requests`);
});

test("while the page waits, it is drawn once a second and not more often", { timeout: 60_000 }, async () => {
  const ann = await account("Ann");
  const context = await device();
  await context.addInitScript(() => {
    const all = /** @type {any} */ (window);
    all.pending = new Set();
    const { setTimeout: set, clearTimeout: clear } = window;
    all.setTimeout = (/** @type {() => void} */ f, /** @type {number} */ ms) => {
      const timer = set(() => {
        all.pending.delete(timer);
        f();
      }, ms);
      if (ms === 1_000) all.pending.add(timer);
      return timer;
    };
    all.clearTimeout = (/** @type {number} */ timer) => {
      all.pending.delete(timer);
      clear(timer);
    };
  });
  await context.routeWebSocket(/\/ws$/, (socket) => socket.close());
  const page = await open(context);
  await login(page, ann.username);
  await page.getByRole("button", { name: "Try now" }).waitFor();
  // Each of these draws the page again.
  for (let i = 0; i < 20; i++) await page.locator("#search").fill(`${i}`);
  await page.locator("#search").fill("");
  let most = 0;
  for (let i = 0; i < 20; i++) {
    most = Math.max(most, await page.evaluate(() => /** @type {any} */ (window).pending.size));
    await page.waitForTimeout(100);
  }
  assert.ok(most <= 1, `${most} timers at once`);
});

test("what was to be drawn when the tab was hidden is drawn without a frame", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Hidden", [ann, ben]);
  const page = await enter(ann);
  await page.locator("a.item", { hasText: "Hidden" }).waitFor();
  await until(async () => (await page.locator(".bar").count()) === 0, "it is connected");
  // A frame that was asked for before still comes: it is waited for.
  await page.evaluate(() => {
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = () => 0;
    return new Promise((resolve) => frame(resolve));
  });
  await send(ben.token, chat, "while hidden");
  await page.waitForTimeout(500);
  assert.equal(await page.title(), "WinDI Messenger");
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until(async () => (await page.title()).startsWith("(1)"), "the title counts the message", 3_000);
});
