// @ts-check
// Against a messenger that is running: WINDI_URL=http://localhost:3000 npm run test:real
import assert from "node:assert/strict";
import { after, test } from "node:test";
import WebSocket from "ws";
import { Client, MemoryLocks, MemoryStorage } from "../../index.js";

const url = process.env["WINDI_URL"];
if (!url) throw new Error("WINDI_URL is the URL of a messenger");

/** @type {Client[]} */
const clients = [];
/** @type {WebSocket[]} */
const sockets = [];
after(() => {
  clients.forEach((client) => client.stop());
  sockets.forEach((socket) => socket.close());
});

/** @param {any} [browser] */
function tab(browser = { storage: new MemoryStorage(), locks: new MemoryLocks() }) {
  const client = new Client({
    url: String(url),
    socketUrl: `${String(url).replace(/^http/, "ws")}/ws`,
    env: { WebSocket, ...browser },
  });
  clients.push(client);
  return client;
}

/** @param {string} name */
async function person(name) {
  const username = `${name}-${crypto.randomUUID().slice(0, 8)}`;
  const client = tab();
  await client.register({ name, email: `${username}@example.com`, password: "password123", username });
  await until(() => client.connection === "online" && client.listed);
  return client;
}

/** @param {() => unknown} condition */
async function until(condition) {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** @param {Client} client */
const me = (client) => /** @type {import("../../index.js").Account} */ (client.account);

async function couple() {
  const [ann, ben] = [await person("Ann"), await person("Ben")];
  const chat = await ann.createPrivate(me(ben).id);
  await until(() => ben.chat(chat.id));
  await ann.open(chat.id);
  await ben.open(chat.id);
  const other = /** @type {import("../../index.js").Chat} */ (ben.chat(chat.id));
  return { ann, ben, chat, other };
}

test("two people talk, see ticks, typing and each other", async () => {
  const { ann, ben, chat, other } = await couple();
  const { id } = me(ben);
  for (const text of ["one", "two", "three"]) await ann.send(chat.id, text);
  await until(() => other.window.last === 3);
  assert.deepEqual(
    other.window.messages.map(({ text }) => text),
    ["one", "two", "three"],
  );
  ben.read(other, 3);
  await until(() => chat.window.messages.every((message) => chat.isRead(message)));
  ben.typing(chat.id, true);
  await until(() => ann.typists(chat.id).includes(id));
  await until(() => ann.status(id)?.online);
  ben.stop();
  await until(() => ann.status(id)?.online === false);
});

test("edits and deletions reach the other side", async () => {
  const { ann, chat, other } = await couple();
  await ann.send(chat.id, "helo");
  await until(() => chat.window.last === 1);
  await ann.edit(/** @type {any} */ (chat.window.get(1)), "hello");
  await until(() => other.window.get(1)?.text === "hello");
  await ann.remove(/** @type {any} */ (chat.window.get(1)));
  await until(() => other.window.get(1)?.deleted_at);
});

test("thirty messages missed are fetched in order", async () => {
  const { ann, ben, chat, other } = await couple();
  const account = me(ben);
  const browser = { storage: ben.env.storage, locks: ben.env.locks };
  ben.stop();
  for (let i = 1; i <= 30; i++) await ann.send(chat.id, `${i}`);
  await until(() => chat.window.last === 30);
  const back = tab(browser);
  assert.equal((await back.start())?.id, account.id);
  await until(() => back.chat(other.id)?.lastMessageId === 30);
  await back.open(other.id);
  assert.deepEqual(
    back.chat(other.id)?.window.messages.map(({ text }) => text),
    Array.from({ length: 30 }, (_, i) => `${i + 1}`),
  );
  assert.equal(back.chat(other.id)?.unread, 30);
});

test("somebody removed from a group loses it, and its people keep their names", async () => {
  const { ann, ben } = await couple();
  const group = await ann.createGroup("Friends", [me(ben).id]);
  await until(() => ben.chat(group.id));
  await ben.send(group.id, "hi");
  /** @type {string[]} */
  const removed = [];
  ben.on("removed", ({ chat }) => removed.push(chat.id));
  await ann.group(group.id, ann.calls.removeMember(group.id, me(ben).id));
  await until(() => !ben.chat(group.id));
  assert.deepEqual(removed, [group.id]);
  const fresh = tab({ storage: ann.env.storage, locks: ann.env.locks });
  await fresh.start();
  await until(() => fresh.chat(group.id));
  await until(() => fresh.person(me(ben).id)?.name === "Ben");
});

test("two tabs refresh at once and both go on", async () => {
  const ann = await person("Ann");
  const other = tab({ storage: ann.env.storage, locks: ann.env.locks });
  await other.start();
  const token = await ann.session.token();
  const [one, two] = await Promise.all([ann.session.refresh(token), other.session.refresh(token)]);
  assert.equal(one, two);
  assert.equal((await other.calls.sessions()).sessions.length, 1);
});

test("a refresh token used twice without a lock still leaves both logged in", async () => {
  const ann = await person("Ann");
  const other = tab({ storage: ann.env.storage, locks: new MemoryLocks() });
  await other.start();
  const token = await ann.session.token();
  await Promise.all([ann.session.refresh(token), other.session.refresh(token)]);
  await ann.calls.sessions();
  await other.calls.sessions();
});

test("a changed password logs the other devices out, with the reason", async () => {
  const ann = await person("Ann");
  const other = tab();
  await other.login(String(me(ann).username), "password123");
  await until(() => other.connection === "online");
  /** @type {string[]} */
  const reasons = [];
  other.on("ended", (reason) => reasons.push(reason));
  await ann.calls.changePassword("password123", "password456");
  await until(() => reasons.length);
  assert.deepEqual(reasons, ["password_changed"]);
  await ann.calls.sessions();
});

test("refusals carry the protocol's code", async () => {
  const ann = await person("Ann");
  await assert.rejects(ann.calls.changePassword("wrong", "password456"), { code: "wrong_password", status: 403 });
  await assert.rejects(tab().login("nobody-at-all", "password123"), { code: "invalid_credentials" });
  await assert.rejects(ann.calls.createPrivate(crypto.randomUUID()), { code: "user_not_found" });
  await assert.rejects(ann.calls.createGroup("  ", [], "key"), { code: "invalid_field" });
});

test("a message that fills its limits is sent", async () => {
  const { ann, chat } = await couple();
  await ann.send(chat.id, "\u{1f600}".repeat(4_096));
  await ann.send(chat.id, '"'.repeat(4_096));
  await until(() => chat.window.last === 2);
  await ann.send(chat.id, "x".repeat(4_097));
  await until(() => ann.outgoing(chat.id)[0]?.error?.code === "invalid_field");
});

test("the oldest of too many devices is told so, and stays away", async () => {
  const ann = await person("Ann");
  const token = await ann.session.token();
  for (let i = 0; i < 20; i++) {
    const socket = new WebSocket(`${String(url).replace(/^http/, "ws")}/ws`, ["windi", token]);
    sockets.push(socket);
    await new Promise((resolve) => socket.once("open", resolve));
  }
  await until(() => ann.connection === "displaced");
  ann.wake();
  assert.equal(ann.connection, "displaced");
});
