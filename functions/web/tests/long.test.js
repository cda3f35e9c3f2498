// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, enter, group, openChat, send, texts, until } from "./helpers.js";

/** How long the long chat is. */
const LENGTH = Number(process.env["WINDI_LONG"] ?? 10_000);

/** @param {import("playwright-core").Page} page */
const firstId = (page) => page.locator(".message").first().evaluate((item) => Number(item.dataset["id"]));

/** Bytes in use after everything unused has been collected. @param {import("playwright-core").Page} page */
async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0;
}

test(`a chat of ${LENGTH} messages scrolls to its first in bounded memory`, { timeout: 600_000 }, async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Long", [ann, ben]);
  for (let i = 0; i < LENGTH; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, k) => send(k % 2 ? ann.token : ben.token, chat, `text ${i + k}`)));
  }
  await send(ann.token, chat, "the last");
  const page = await enter(ann);
  await openChat(page, "Long");
  await until(async () => (await texts(page)).at(-1) === "the last", "it begins at the newest message");
  const before = await heap(page);
  let most = 0;
  let pages = 0;
  const started = Date.now();
  for (let first = await firstId(page); first > 1; pages++) {
    await page.locator("#messages").evaluate((list) => (list.scrollTop = 0));
    await until(async () => (await firstId(page)) < first, `messages before ${first} are loaded`);
    first = await firstId(page);
    most = Math.max(most, await page.locator(".message").count());
  }
  const after = await heap(page);
  console.log(
    `${pages} steps in ${Date.now() - started} ms, at most ${most} messages in the page, ` +
      `heap ${(before / 1e6).toFixed(1)} MB before and ${(after / 1e6).toFixed(1)} MB after`,
  );
  assert.ok(most <= 250, `${most} messages are in the page at once`);
  assert.ok(after - before < 8e6, `the heap grew by ${after - before} bytes`);
  await page.getByText("This is where the chat begins.").waitFor();
  await page.getByRole("button", { name: "To the newest message" }).click();
  await until(async () => (await texts(page)).at(-1) === "the last", "the button leads back to the end");
  assert.deepEqual(page.errors, []);
});

test("what is in sight stays where it is while pages are added above and below", { timeout: 120_000 }, async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Anchored", [ann, ben]);
  for (let i = 0; i < 400; i += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, k) => send(ben.token, chat, `${i + k} ${"long text ".repeat((i + k * 7) % 40)}`)),
    );
  }
  const page = await enter(ann);
  await openChat(page, "Anchored");
  await page.locator(".unread-line").waitFor();
  /** The biggest jump of any message between two frames in which nobody scrolled. */
  const jump = await page.evaluate(async () => {
    const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(null)));
    const places = () => {
      const frameTop = list.getBoundingClientRect().top;
      /** @type {Map<string, number>} */
      const tops = new Map();
      for (const item of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-key]"))) {
        const { top, bottom } = item.getBoundingClientRect();
        if (bottom > frameTop && top < frameTop + list.clientHeight) tops.set(String(item.dataset["key"]), top);
      }
      return tops;
    };
    let worst = 0;
    for (const step of [...Array(40).fill(900), ...Array(60).fill(-700)]) {
      list.scrollTop += step;
      await frame();
      for (let i = 0; i < 6; i++) {
        const before = places();
        await frame();
        const after = places();
        // A message that was in sight and is not any more has jumped furthest of all.
        for (const [key, top] of before) worst = Math.max(worst, Math.abs((after.get(key) ?? Infinity) - top));
      }
    }
    return worst;
  });
  assert.ok(jump <= 1, `a message jumped by ${jump} pixels`);
});
