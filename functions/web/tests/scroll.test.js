// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, enter, group, openChat, send, texts, until } from "./helpers.js";

/** @param {import("playwright-core").Page} page how many pixels are below what is in sight */
const below = (page) =>
  page.locator("#messages").evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);

test("a field that grows or shrinks does not hide the newest message", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Pasted", [ann, ben]);
  for (let i = 1; i <= 40; i++) await send(ann.token, chat, `message ${i}`);
  const page = await enter(ann);
  await openChat(page, "Pasted");
  await until(async () => (await texts(page)).at(-1) === "message 40" && (await below(page)) < 1, "it is at its end");
  const composer = page.locator("#composer");
  const height = async () => (await composer.boundingBox())?.height ?? 0;
  const one = await height();
  await composer.fill("one\ntwo\nthree\nfour\nfive\nsix\nseven");
  await page.waitForTimeout(300);
  assert.ok((await height()) - one > 80, "the field has grown by more than a reader may be away from the end");
  assert.ok((await below(page)) < 1, `${await below(page)} pixels are hidden`);
  assert.equal(await page.locator(".to-newest").count(), 0);
  await composer.fill("");
  await page.waitForTimeout(300);
  assert.equal(await height(), one);
  assert.ok((await below(page)) < 1);
  // A message that comes while there is a long text is followed too.
  await composer.fill("one\ntwo\nthree\nfour\nfive\nsix\nseven");
  await send(ben.token, chat, "meanwhile");
  await page.locator(".message", { hasText: "meanwhile" }).waitFor();
  await page.waitForTimeout(300);
  assert.ok((await below(page)) < 1);

  // Who reads further up stays there.
  await page.locator("#messages").evaluate((list) => (list.scrollTop -= 300));
  await page.locator(".to-newest").waitFor();
  const top = await page.locator("#messages").evaluate((list) => list.scrollTop);
  await composer.fill("");
  await page.waitForTimeout(300);
  assert.equal(await page.locator("#messages").evaluate((list) => list.scrollTop), top);
  assert.equal(await page.locator(".to-newest").count(), 1);
  assert.deepEqual(page.errors, []);
});

test("whoever scrolls up in the frame in which a message comes is not pulled back", async () => {
  const [ann] = [await account("Ann")];
  const chat = await group("Pulled", [ann]);
  for (let i = 1; i <= 40; i++) await send(ann.token, chat, `message ${i}`);
  const page = await enter(ann);
  await openChat(page, "Pulled");
  await until(async () => (await texts(page)).at(-1) === "message 40" && (await below(page)) < 1, "it is at its end");
  await page.evaluate(async (chatId) => {
    const { client } = await import(
      /** @type {HTMLLinkElement} */ (document.querySelector('link[href$="app/store.js"]')).href
    );
    // Right before the drawing that the message causes, which is too late for this frame's scroll event.
    const real = window.requestAnimationFrame;
    window.requestAnimationFrame = (draw) => {
      window.requestAnimationFrame = real;
      return real((time) => {
        const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
        list.scrollTop -= 300;
        draw(time);
      });
    };
    await client.send(chatId, "meanwhile");
  }, chat);
  await until(async () => (await texts(page)).at(-1) === "meanwhile", "the message is in the list");
  assert.ok((await below(page)) >= 300, `the reader was pulled to ${await below(page)} pixels from the end`);
  assert.deepEqual(page.errors, []);
});
