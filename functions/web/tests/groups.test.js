// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, call, enter, group, openChat, send, texts, until, write } from "./helpers.js";

test("a group is made, renamed, filled, and its roles are changed", async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cy")];
  const page = await enter(ann);
  const other = await enter(ben);
  await page.getByRole("button", { name: "New chat" }).first().click();
  await page.getByRole("button", { name: "New group" }).click();
  const making = page.locator("dialog.group");
  await making.getByLabel("Group name").fill("Climbers");
  await making.getByLabel("Add people").fill(ben.username);
  await making.getByRole("button", { name: ben.username }).click();
  await making.getByRole("button", { name: "Create group" }).click();
  await page.locator(".who-header", { hasText: "Climbers" }).waitFor();
  await other.locator("a.item", { hasText: "Climbers" }).waitFor();

  await page.locator(".who-header").click();
  await page.getByRole("button", { name: "Edit the group" }).click();
  await page.locator("dialog.rename").getByLabel("Name").fill("Hikers");
  await page.getByRole("button", { name: "Save" }).click();
  await other.locator("a.item", { hasText: "Hikers" }).waitFor();

  await page.getByRole("button", { name: "Add people" }).click();
  await page.locator("dialog.add").getByLabel("Name or username").fill(cy.username);
  await page.locator("dialog.add").getByRole("button", { name: cy.username }).click();
  await page.locator("dialog.info .item", { hasText: cy.username }).waitFor();

  await page.getByRole("button", { name: "Actions for Ben" }).click();
  await page.getByRole("menuitem", { name: "Make admin" }).click();
  await page.locator("dialog.info .item", { hasText: "Ben" }).getByText("admin").waitFor();
  await other.locator("a.item", { hasText: "Hikers" }).click();
  await other.locator(".who-header").click();
  await other.getByRole("button", { name: "Add people" }).waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("somebody who is removed sees it, and reads nothing more", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Secret", [ann, ben]);
  const page = await enter(ben);
  await openChat(page, "Secret");
  await page.locator("#composer").waitFor();
  await call("DELETE", `/chats/${chat}/members/${ben.id}`, ann.token);
  await page.getByText("You are no longer in “Secret”.").waitFor();
  await until(async () => (await page.locator("a.item", { hasText: "Secret" }).count()) === 0, "the chat is gone");
  await send(ann.token, chat, "among ourselves");
  await call("POST", `/chats/${chat}/members`, ann.token, { user_id: ben.id });
  await page.locator("a.item", { hasText: "Secret" }).waitFor();
  await openChat(page, "Secret");
  await until(async () => (await texts(page)).join() === "among ourselves", "somebody added again reads it all");
});

test("whoever leaves keeps their name in the chat", async () => {
  const [ann, ben] = [await account("Ann"), await account("Benedict")];
  const chat = await group("Party", [ann, ben]);
  await send(ben.token, chat, "bye");
  const page = await enter(ben);
  await openChat(page, "Party");
  await page.locator(".who-header").click();
  await page.getByRole("button", { name: "Leave the group" }).click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Leave the group" }).click();
  await page.getByText("You have left “Party”.").waitFor();
  const other = await enter(ann);
  await openChat(other, "Party");
  await other.locator(".sender", { hasText: "Benedict" }).waitFor();
});

test("who has read a message is listed", async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cyril")];
  const chat = await group("Readers", [ann, ben, cy]);
  const page = await enter(ann);
  await openChat(page, "Readers");
  await write(page, "read this");
  await page.locator(".ticks[title=Sent]").waitFor();
  await call("POST", `/messages/${chat}/1/read`, ben.token);
  await page.locator(".ticks[title=Read]").waitFor();
  await page.locator(".message .bubble").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Who has read it" }).click();
  const lists = page.locator("dialog.readers .people");
  assert.match(await lists.nth(0).innerText(), /Ben/);
  assert.match(await lists.nth(1).innerText(), /Cyril/);
});
