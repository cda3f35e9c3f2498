// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./sim/world.js";

/** A chat of which ten messages are in a backup, and ten more were sent after it. */
async function restored() {
  const world = new World(9);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const { id } = world.server.createChat(ann, "private", null, [ben.id]);
  const client = await world.enter("ann");
  await world.during(client.open(id));
  const send = (/** @type {string} */ text) =>
    world.server.send(ben, { chat_id: id, text, client_message_id: `${text} ${world.clock.now()}` });
  for (let i = 0; i < 10; i++) send(`kept ${i}`);
  await world.clock.pass(2_000);
  const backup = world.server.backup();
  for (let i = 0; i < 10; i++) send(`lost ${i}`);
  await world.clock.pass(2_000);
  const chat = /** @type {import("../index.js").Chat} */ (client.chat(id));
  assert.equal(chat.revision, 21);
  client.read(chat, 20);
  await world.clock.pass(1_000);
  return { world, client, id, backup, send, ben, chat };
}

const kept = Array.from({ length: 10 }, (_, i) => `kept ${i}`);

test("after the database was restored, a chat is forgotten and begun anew", async () => {
  const { world, client, id, backup, send } = await restored();
  world.server.restore(backup);
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(10_000);
  const chat = /** @type {import("../index.js").Chat} */ (client.chat(id));
  assert.deepEqual([chat.revision, chat.lastMessageId, chat.lastMessage?.text], [11, 10, "kept 9"]);
  await world.during(client.open(id));
  assert.deepEqual(
    chat.window.messages.map(({ text }) => text),
    kept,
  );
  send("new");
  await world.clock.pass(1_000);
  assert.deepEqual(
    chat.window.messages.map(({ text }) => text),
    [...kept, "new"],
  );
  // Numbers that were read before stand for other messages now.
  client.read(chat, 11);
  await world.clock.pass(1_000);
  assert.equal(world.server.chats.get(id).members.get(chat.me).last_read_id, 11);
});

test("a ping notices it, on a socket that has outlived it", async () => {
  const { world, client, id, backup, send } = await restored();
  const [socket] = world.network.sockets;
  world.server.restore(backup);
  await world.clock.pass(125_000);
  const chat = /** @type {import("../index.js").Chat} */ (client.chat(id));
  assert.equal(socket.closed, false);
  assert.deepEqual([chat.revision, chat.lastMessageId, chat.lastMessage?.text], [11, 10, "kept 9"]);
  send("new");
  await world.clock.pass(1_000);
  assert.equal(chat.lastMessage?.text, "new");
});

test("a push that overtakes the answer to a ping is only a reason to ask", async () => {
  const { world, client, id, send, chat } = await restored();
  const { frame } = world.server;
  let pings = 0;
  let before = 0;
  world.server.frame = (device, request) => {
    if (request.action !== "ping" || ++pings > 1) return frame.call(world.server, device, request);
    send("before");
    const answer = frame.call(world.server, device, request);
    send("after");
    assert.equal(answer.data.stale[id], 22);
    world.clock.setTimeout(() => {
      before = world.network.seen.length;
      device.push(answer);
    }, 2_000);
  };
  await world.clock.pass(125_000);
  assert.equal(pings, 1);
  assert.ok(world.network.seen.slice(before).includes(`GET /chats/${id}/changes`));
  assert.equal(client.chat(id), chat);
  assert.deepEqual([chat.revision, chat.window.messages.at(-1)?.text], [23, "after"]);
});

test("a catch-up notices it too, without the list", async () => {
  const { world, client, id, backup } = await restored();
  world.server.restore(backup);
  await world.during(client.group(id, Promise.resolve()));
  await world.clock.pass(2_000);
  assert.equal(client.chat(id)?.revision, 11);
});

test("a message of this person that was lost with the database does not stay on its way", async () => {
  const { world, client, id, backup } = await restored();
  await client.send(id, "mine");
  await world.clock.pass(1_000);
  world.server.restore(backup);
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(10_000);
  assert.deepEqual(client.outgoing(id), []);
  await client.send(id, "after");
  await world.clock.pass(1_000);
  assert.equal(client.chat(id)?.lastMessage?.text, "after");
});

test("an answer that was overtaken does not make a chat begin anew", async () => {
  const { world, client, id, backup, chat } = await restored();
  const { fetch } = world.network;
  let old = 0;
  client.env.fetch = async (url, options) => {
    if (!url.includes("/changes") || old++ > 0) return fetch(url, options);
    const now = world.server.chats;
    world.server.restore(backup);
    const answer = await fetch(url, options);
    world.server.chats = now;
    return answer;
  };
  await world.during(client.group(id, Promise.resolve()));
  await world.clock.pass(2_000);
  assert.ok(old > 0);
  assert.equal(client.chat(id), chat);
  assert.equal(chat.revision, 21);
});
