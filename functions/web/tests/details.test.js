// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, call, enter, group, openChat, send, until, write } from "./helpers.js";

/** @import {Page} from "playwright-core" */

/** @param {Page} page @param {string} text */
const bubble = (page, text) => page.locator(".message .bubble", { hasText: text }).last();

/** Opens the menu of a message and chooses from it. @param {Page} page @param {string} text @param {string} item */
async function choose(page, text, item) {
  await bubble(page, text).locator(".text").click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

test("a reply shows what it answers, and leads there", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Replies", [ann, ben]);
  await send(ben.token, chat, "At eight?");
  for (let i = 0; i < 60; i++) await send(ben.token, chat, `straw ${i}`);
  const page = await enter(ann);
  await openChat(page, "Replies");
  await choose(page, "At eight?", "Reply");
  await page.locator(".editing", { hasText: "Replying to Ben" }).waitFor();
  // Escape answers nothing any more; a second one would close the chat.
  await page.locator("#composer").press("Escape");
  await page.locator(".editing").waitFor({ state: "detached" });
  await choose(page, "At eight?", "Reply");
  await write(page, "Fine");
  await page.locator(".message .quote", { hasText: "At eight?" }).waitFor();
  await page.locator(".editing").waitFor({ state: "detached" });
  const other = await enter(ben);
  await openChat(other, "Replies");
  await other.locator(".quote", { hasText: "At eight?" }).click();
  const hit = other.locator(".message.marked");
  await until(async () => (await hit.locator(".text").innerText()) === "At eight?", "the original is marked");
  await write(other, "plain");
  await page.locator(".message .text", { hasText: "plain" }).waitFor();
  assert.equal(await page.locator(".message .quote").count(), 1);
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("reactions are chosen, seen by others, and taken back", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Reactions", [ann, ben]);
  await send(ben.token, chat, "Done");
  const page = await enter(ann);
  const other = await enter(ben);
  await openChat(page, "Reactions");
  await openChat(other, "Reactions");
  await bubble(page, "Done").locator(".text").click({ button: "right" });
  await page.getByRole("menuitemcheckbox", { name: "👍" }).click();
  await page.locator(".reaction[aria-pressed=true]", { hasText: "👍" }).waitFor();
  const theirs = other.locator(".reaction", { hasText: "👍" });
  await theirs.waitFor();
  assert.equal(await theirs.getAttribute("aria-pressed"), "false");
  await theirs.click();
  await page.locator(".reaction", { hasText: "2" }).waitFor();
  await other.locator(".reaction[aria-pressed=true]", { hasText: "2" }).waitFor();
  // After a reload, one's own are still told apart.
  await page.reload();
  await page.locator(".reaction[aria-pressed=true]", { hasText: "2" }).click();
  await other.locator(".reaction[aria-pressed=true]").waitFor();
  await until(async () => (await other.locator(".reaction .count").count()) === 0, "one is left");
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a message is forwarded to another chat, under its author's name", async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Benedict"), await account("Cy")];
  const from = await group("Source", [ann, ben]);
  await group("Target", [ann, cy]);
  await send(ben.token, from, "Pass it on");
  const page = await enter(ann);
  const other = await enter(cy);
  await openChat(page, "Source");
  await choose(page, "Pass it on", "Forward");
  await page.locator("dialog.forward").getByRole("button", { name: "Target" }).click();
  await page.locator("#chat-title", { hasText: "Target" }).waitFor({ state: "attached" });
  await openChat(other, "Target");
  await bubble(other, "Pass it on").locator(".origin", { hasText: "Forwarded from Benedict" }).waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a pinned message stands above the chat and leads to it", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Pins", [ann, ben]);
  await send(ann.token, chat, "The address is here");
  for (let i = 0; i < 120; i++) await send(ann.token, chat, `straw ${i}`);
  await call("PUT", `/messages/${chat}/1/pin`, ann.token);
  await call("POST", `/messages/${chat}/122/read`, ben.token);
  const page = await enter(ben);
  await openChat(page, "Pins");
  await page.locator(".service", { hasText: "Ann pinned a message" }).waitFor();
  const bar = page.locator(".pinned", { hasText: "The address is here" });
  await bar.click();
  await page.locator(".message.marked .text", { hasText: "The address is here" }).waitFor();
  // An ordinary member of a group cannot pin.
  await bubble(page, "The address is here").locator(".text").click({ button: "right" });
  assert.equal(await page.getByRole("menuitem", { name: /pin/i }).count(), 0);
  await page.keyboard.press("Escape");
  await call("DELETE", `/messages/${chat}/1/pin`, ann.token);
  await bar.waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});

test("whoever is mentioned sees it in the list and in the message", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Mentions", [ann, ben]);
  const page = await enter(ben);
  await page.locator("a.item", { hasText: "Mentions" }).waitFor();
  await send(ann.token, chat, `Look, @${ben.username}. https://example.com/@${ben.username}`);
  const item = page.locator("a.item", { hasText: "Mentions" });
  await item.locator(".badge.at").waitFor();
  await openChat(page, "Mentions");
  await page.locator(".mention", { hasText: `@${ben.username}` }).waitFor();
  assert.deepEqual(await page.locator(".mention").allInnerTexts(), [`@${ben.username}`]);
  await item.locator(".badge.at").waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});

test("a group's history tells who came and went, and that counts as nothing unread", async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cy")];
  const chat = await group("Comings", [ann, ben]);
  const page = await enter(ben);
  await page.locator("a.item", { hasText: "Comings" }).waitFor();
  await call("POST", `/chats/${chat}/members`, ann.token, { user_id: cy.id });
  await call("PATCH", `/chats/${chat}/members/${ben.id}`, ann.token, { role: "admin" });
  await call("PATCH", `/chats/${chat}`, ann.token, { name: "Goings" });
  const item = page.locator("a.item", { hasText: "Goings" });
  await item.locator(".preview", { hasText: "Ann renamed the group to “Goings”" }).waitFor();
  assert.equal(await item.locator(".badge").count(), 0);
  await openChat(page, "Goings");
  const entries = page.locator(".service");
  await until(async () => (await entries.count()) === 3, "all three are there");
  assert.deepEqual(await entries.allInnerTexts(), [
    "Ann added Cy",
    "Ann made you an admin",
    "Ann renamed the group to “Goings”",
  ]);
  assert.deepEqual(page.errors, []);
});

test("a chat whose first unread entry is a change of the group opens there, and is not read at once", async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cy")];
  const chat = await group("Changes", [ann, ben]);
  await call("POST", `/chats/${chat}/members`, ann.token, { user_id: cy.id });
  for (let i = 0; i < 30; i++) await send(ann.token, chat, `message ${i} ${"and more ".repeat(12)}`);
  const page = await enter(ben);
  await page.locator("a.item .badge", { hasText: "30" }).waitFor();
  await openChat(page, "Changes");
  await page.locator(".message:has(.unread-line) .service", { hasText: "Ann added Cy" }).waitFor();
  await page.waitForTimeout(500);
  assert.ok(await page.locator(".to-newest .badge").isVisible(), "the rest is still unread");
  assert.deepEqual(page.errors, []);
});
