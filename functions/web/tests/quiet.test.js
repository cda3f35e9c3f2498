// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, call, enter, group, login, open, device, openChat, origin, send, until, write } from "./helpers.js";

/** @import {Page} from "playwright-core" */

/** Chooses from the menu of a chat in the list. @param {Page} page @param {string} title @param {string} item */
async function choose(page, title, item) {
  await page.locator("a.item", { hasText: title }).click({ button: "right" });
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

test("a muted chat counts quietly, and an archived one is put away, on every device", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Noise", [ann, ben]);
  const page = await enter(ben);
  const other = await enter(ben);
  await choose(page, "Noise", "Mute");
  await page.locator("dialog.mute").getByRole("button", { name: "For 8 hours" }).click();
  await other.locator("a.item", { hasText: "Noise" }).getByText("muted").waitFor({ state: "attached" });
  await send(ann.token, chat, "hello");
  await page.locator("a.item .badge.low", { hasText: "1" }).waitFor();
  assert.equal(await page.title(), "WinDI Messenger", "the title counts what makes a noise");
  await choose(page, "Noise", "Unmute");
  await until(async () => (await page.title()).startsWith("(1)"), "the title counts it again");

  await choose(page, "Noise", "Archive");
  await other.locator(".archive", { hasText: "1" }).waitFor();
  assert.equal(await other.locator("a.item", { hasText: "Noise" }).count(), 0);
  await other.locator(".archive").click();
  await choose(other, "Noise", "Take out of the archive");
  await page.locator("a.item", { hasText: "Noise" }).waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a chat is marked as unread, until it is opened", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Later", [ann, ben]);
  const page = await enter(ben);
  await choose(page, "Later", "Mark as unread");
  await page.locator("a.item .dot-badge").waitFor();
  await openChat(page, "Later");
  await page.locator("a.item .dot-badge").waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});

test("somebody who is blocked is told nothing, and nothing of theirs arrives", async () => {
  const [ann, ben] = [await account("Ann"), await account("Benedict")];
  const { id: chat } = await call("POST", "/chats", ann.token, { kind: "private", user_id: ben.id });
  await send(ben.token, chat, "first");
  const page = await enter(ann);
  const other = await enter(ben);
  await openChat(page, "Benedict");
  await openChat(other, "Ann");
  await page.locator(".who-header").click();
  await page.locator("dialog.info").getByRole("button", { name: "Block" }).click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Block" }).click();
  await page.locator("dialog.info").getByRole("button", { name: "Unblock" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".closed", { hasText: "You have blocked Benedict." }).waitFor();
  await write(other, "second");
  await other.getByText("This person cannot be reached by you.").waitFor();
  assert.equal(await page.locator(".message", { hasText: "second" }).count(), 0);
  await page.locator(".closed").getByRole("button", { name: "Unblock" }).click();
  await page.locator("#composer").waitFor();
  await other.getByRole("button", { name: "Try again" }).click();
  await page.locator(".message", { hasText: "second" }).waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("somebody opens an invite link, sees the group, and joins", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Club", [ann]);
  const page = await enter(ann);
  await openChat(page, "Club");
  await page.locator(".who-header").click();
  await page.getByRole("button", { name: "Invite links" }).click();
  await page.getByRole("button", { name: "New link", exact: true }).click();
  const address = await page.locator(".invite a").getAttribute("href");
  assert.ok(address?.startsWith(`${origin}/#/join/`), String(address));
  const other = await open(await device());
  await other.goto(String(address));
  await login(other, ben.username);
  await other.locator("dialog.join", { hasText: "Club" }).waitFor();
  await other.locator("dialog.join").getByRole("button", { name: "Join" }).click();
  await other.locator("#chat-title", { hasText: "Club" }).waitFor({ state: "attached" });
  await other.locator(".service", { hasText: "You joined by a link" }).waitFor();
  await page.getByRole("button", { name: "Revoke the link" }).click();
  await page.locator(".invite").waitFor({ state: "detached" });
  // The link is used once: the address leads to the chat, and Back to the list.
  assert.ok(other.url().includes("#/chat/"), other.url());
  await other.goBack();
  await until(async () => !other.url().includes("join"), "Back does not lead to the link");
  const late = await enter(await account("Cy"));
  await late.goto(String(address));
  await late.getByText("This link does not work.").waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a group has a description and rules, and its owner ends it", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Rules", [ann, ben]);
  const page = await enter(ann);
  const other = await enter(ben);
  await openChat(other, "Rules");
  await other.locator("#composer").waitFor();
  await openChat(page, "Rules");
  await page.locator(".who-header").click();
  await page.getByRole("button", { name: "Edit the group" }).click();
  await page.locator("dialog.rename").getByLabel("Description").fill("What is new");
  await page.locator("dialog.rename").getByLabel("Only admins write").check();
  await page.locator("dialog.rename").getByRole("button", { name: "Save" }).click();
  await page.locator("dialog.info .about", { hasText: "What is new" }).waitFor();
  await other.locator(".closed", { hasText: "Only admins write" }).waitFor();
  await page.getByRole("button", { name: "Dissolve the group" }).click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Dissolve the group" }).click();
  await other.getByText("You are no longer in “Rules”.").waitFor();
  await until(async () => (await page.locator("a.item", { hasText: "Rules" }).count()) === 0, "the group is gone");
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a new name is seen by the others", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Names", [ann, ben]);
  await send(ben.token, chat, "hello");
  const page = await enter(ann);
  const other = await enter(ben);
  await openChat(page, "Names");
  await other.getByRole("button", { name: "Settings" }).click();
  await other.getByRole("button", { name: "Name and privacy" }).click();
  await other.locator("dialog.profile").getByLabel("Name", { exact: true }).fill("Benjamin");
  await other.locator("dialog.profile").getByLabel("Who may add me to groups").selectOption("nobody");
  await other.locator("dialog.profile").getByRole("button", { name: "Save" }).click();
  await other.locator("dialog.settings .profile-name", { hasText: "Benjamin" }).waitFor();
  await page.locator(".sender", { hasText: "Benjamin" }).waitFor();
  await assert.rejects(group("More", [ann, ben]), /not_reachable/);
  assert.deepEqual([page.errors, other.errors], [[], []]);
});
