// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, device, enter, group, open, openChat, register, send, texts, until, write } from "./helpers.js";

test("two people register, find each other, talk, and see typing and ticks", async () => {
  const ann = await open(await device());
  const ben = await open(await device());
  await register(ann, "Ann Archer");
  const username = await register(ben, "Ben Baker");

  await ann.getByRole("button", { name: "New chat" }).first().click();
  await ann.getByLabel("Name or username").fill(username);
  await ann.getByRole("button", { name: "Ben Baker" }).click();
  await write(ann, "Hello Ben");
  await ann.locator(".message .ticks[title=Sent]").waitFor();

  await ben.locator(".sidebar .badge", { hasText: "1" }).waitFor();
  await openChat(ben, "Ann Archer");
  await ben.getByText("Hello Ben").last().waitFor();
  await ann.locator(".message .ticks[title=Read]").waitFor();

  await ben.locator("#composer").pressSequentially("Hi");
  await ann.locator(".who-header", { hasText: "typing…" }).waitFor();
  await ben.locator("#composer").press("Enter");
  await ann.locator(".who-header", { hasText: "online" }).waitFor();
  await until(async () => (await texts(ann)).join() === "Hello Ben,Hi", "both messages are there");
  await ben.context().close();
  await ann.locator(".who-header", { hasText: "last seen" }).waitFor();
  assert.deepEqual(ann.errors, []);
});

test("a message is edited and deleted with the keyboard", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Editors", [ann, ben]);
  const page = await enter(ann);
  const other = await enter(ben);
  await openChat(page, "Editors");
  await openChat(other, "Editors");
  await write(page, "helo");
  await other.getByText("helo").last().waitFor();
  await page.locator("#composer").press("ArrowUp");
  await page.locator(".editing").waitFor();
  await page.locator("#composer").press("Backspace");
  await page.locator("#composer").pressSequentially("lo");
  await page.locator("#composer").press("Enter");
  await other.locator(".message .text", { hasText: "hello" }).waitFor();
  await other.locator(".message .meta", { hasText: "edited" }).waitFor();
  await page.locator("#messages").focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Delete" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete", exact: true }).press("Enter");
  await other.locator(".message .gone").waitFor();
  assert.ok(chat);
});

test("a message is text, and only web addresses become links", async () => {
  const [ann, ben] = [await account("Ann"), await account('<img src=x onerror="window.hacked=1">')];
  const chat = await group("<script>window.hacked=1</script>", [ann, ben]);
  await send(ben.token, chat, '<img src=x onerror="window.hacked=1"> javascript:alert(1) https://example.com/a?b=c.');
  const page = await enter(ann);
  await openChat(page, "<script>");
  const links = page.locator(".message .text a");
  await links.first().waitFor();
  assert.deepEqual(await links.evaluateAll((all) => all.map((link) => link.getAttribute("href"))), [
    "https://example.com/a?b=c",
  ]);
  assert.equal(await links.first().getAttribute("rel"), "noopener noreferrer");
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);
  assert.equal(await page.locator("#messages img, #messages script").count(), 0);
});

test("a chat opens at the first unread message, with a line above it", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Unread", [ann, ben]);
  for (let i = 1; i <= 80; i++) await send(ben.token, chat, `message ${i}`);
  const page = await enter(ann);
  await openChat(page, "Unread");
  await page.locator(".unread-line").waitFor();
  assert.equal(await page.locator(".message:has(.unread-line) .text").innerText(), "message 1");
  const box = await page.locator(".unread-line").boundingBox();
  assert.ok(box && box.y > 0 && box.y < 400, "the line is in sight");
  assert.ok(await page.locator(".to-newest").isVisible());
  await page.getByRole("button", { name: "To the newest message" }).click();
  await until(async () => (await page.locator(".sidebar .badge").count()) === 0, "all is read");
  assert.equal((await texts(page)).at(-1), "message 80");
});

test("search finds a message and jumps to it", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Haystack", [ann, ben]);
  for (let i = 1; i <= 150; i++) await send(ben.token, chat, i === 20 ? "the needle is here" : `straw ${i}`);
  const page = await enter(ann);
  await openChat(page, "Haystack");
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await page.locator("#search").fill("needle");
  await page.locator(".sidebar button.item", { hasText: "needle" }).click();
  const hit = page.locator(".message.marked");
  await hit.waitFor();
  await until(async () => {
    const box = await hit.boundingBox();
    return box !== null && box.y > 60 && box.y < 650;
  }, "the hit is in sight");
  assert.equal(await hit.locator(".text").innerText(), "the needle is here");
});

test("the language follows the browser's", async () => {
  const page = await open(await device({ locale: "ru-RU" }));
  await page.getByRole("heading", { name: "Вход" }).waitFor();
  const other = await open(await device({ locale: "fr-FR" }));
  await other.getByRole("heading", { name: "Log in" }).waitFor();
});

test("a wrong login is told in words", async () => {
  const page = await open(await device());
  await page.getByLabel("Username or e-mail").fill("nobody-of-that-name");
  await page.getByLabel("Password").fill("wrong password");
  await page.keyboard.press("Enter");
  await page.getByText("Wrong username, e-mail or password.").waitFor();
});
