// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, enter, goOffline, group, open, openChat, send, texts, until, write } from "./helpers.js";

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
