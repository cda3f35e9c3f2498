// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FAULTS } from "./sim/network.js";
import { World } from "./sim/world.js";

async function pair() {
  const world = new World(4);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const chat = world.server.createChat(ann, "private", null, [ben.id]);
  const browser = world.browser();
  const client = await world.enter("ann", browser);
  await world.during(client.open(chat.id));
  await world.clock.pass(500);
  world.network.seen.length = 0;
  return { world, ann, ben, chat, client, browser };
}

/** @param {any} chat */
const texts = (chat) => chat.messages.map((/** @type {any} */ message) => message.text);

test("a message goes over the socket, and is sent once it is answered", async () => {
  const { world, client, chat } = await pair();
  await client.send(chat.id, "hello");
  assert.deepEqual(
    client.outgoing(chat.id).map((item) => item.state),
    ["waiting"],
  );
  await world.clock.pass(200);
  assert.deepEqual(client.outgoing(chat.id), []);
  assert.deepEqual(world.network.seen, ["sendMessage"]);
  assert.equal(client.chat(chat.id)?.lastMessage?.text, "hello");
});

test("a message too large for a frame goes over HTTP", async () => {
  const { world, client, chat } = await pair();
  await client.send(chat.id, '"'.repeat(20_000));
  await world.clock.pass(200);
  assert.deepEqual(world.network.seen, ["POST /messages"]);
  assert.equal(texts(chat).length, 1);
});

test("without a socket messages go over HTTP", async () => {
  const { world, client, chat } = await pair();
  client.env.WebSocket = /** @type {any} */ (
    class {
      close() {}
    }
  );
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await client.send(chat.id, "still here");
  await world.clock.pass(1_000);
  assert.deepEqual(texts(chat), ["still here"]);
});

test("messages sent in one go keep their order, whatever is lost", async () => {
  const { world, client, chat } = await pair();
  world.network.faults = { ...NO_FAULTS, loseAnswer: 0.5, loseFrame: 0.3, cut: 0.2 };
  const wanted = Array.from({ length: 20 }, (_, i) => `${i}`);
  for (const text of wanted) await client.send(chat.id, text);
  await world.clock.pass(200_000);
  world.network.faults = { ...NO_FAULTS };
  await world.clock.pass(600_000);
  assert.deepEqual(texts(chat), wanted);
});

test("a message that was on its way before a reload is sent after it, once", async () => {
  const { world, client, chat, browser } = await pair();
  world.network.faults = { ...NO_FAULTS, loseAnswer: 1, losePush: 1 };
  await client.send(chat.id, "one");
  await client.send(chat.id, "two");
  await world.clock.pass(300);
  assert.deepEqual(texts(chat), ["one"]);
  client.stop();
  world.network.faults = { ...NO_FAULTS };
  const reloaded = world.tab(browser);
  await world.during(reloaded.start());
  assert.equal(reloaded.outgoing(chat.id).length, 2);
  await world.clock.pass(60_000);
  assert.deepEqual(texts(chat), ["one", "two"]);
  assert.deepEqual(await browser.storage.entries("outbox"), []);
});

test("a refused message is failed, does not hold up the next, and can be tried again or discarded", async () => {
  const { world, client, chat, ann, ben } = await pair();
  const group = world.server.createChat(ben, "group", "g", [ann.id]);
  await world.clock.pass(1_000);
  world.server.chats.get(group.id).members.delete(ann.id);
  await client.send(group.id, "refused");
  await client.send(chat.id, "accepted");
  await world.clock.pass(1_000);
  const [item] = client.outgoing(group.id);
  assert.deepEqual([item?.state, item?.error?.code], ["failed", "chat_not_found"]);
  assert.deepEqual(texts(chat), ["accepted"]);
  world.server.addMember(ben, group.id, ann.id);
  if (item) await client.retry(item);
  await world.clock.pass(1_000);
  // Before it, the entry about the membership.
  assert.deepEqual(texts(group), [null, "refused"]);
});

test("an error of the gateway, which names no frame, repeats what is under way", async () => {
  const { world, client, chat } = await pair();
  const [socket] = world.network.sockets;
  const { send } = socket;
  socket.send = () => {
    socket.send = send;
    socket.deliver({ message: "Internal server error", connectionId: "x", requestId: "y" });
  };
  await client.send(chat.id, "again");
  await world.clock.pass(2_000);
  assert.deepEqual(texts(chat), ["again"]);
});

test("what the server asks for in retry_after is waited for", async () => {
  const { world, client, chat } = await pair();
  const [socket] = world.network.sockets;
  const { send } = socket;
  socket.send = (/** @type {string} */ text) => {
    socket.send = send;
    const { request_id } = JSON.parse(text);
    socket.deliver({ type: "error", request_id, data: { code: "unavailable", message: "x", retry_after: 7 } });
  };
  await client.send(chat.id, "patience");
  await world.clock.pass(6_500);
  assert.deepEqual(texts(chat), []);
  await world.clock.pass(2_000);
  assert.deepEqual(texts(chat), ["patience"]);
});

test("the order stays, even if the clock was set back, before a reload and after it", async () => {
  const { world, client, chat, browser } = await pair();
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  const { now } = world.clock;
  await client.send(chat.id, "one");
  client.env.clock.now = () => now() - 3_600_000;
  await client.send(chat.id, "two");
  client.stop();
  const reloaded = world.tab(browser);
  await world.during(reloaded.start());
  await reloaded.send(chat.id, "three");
  reloaded.stop();
  client.env.clock.now = now;
  world.network.faults = { ...NO_FAULTS };
  await world.during(world.tab(browser).start());
  await world.clock.pass(60_000);
  assert.deepEqual(texts(chat), ["one", "two", "three"]);
});

test("a failed message is tried again or discarded, even if the storage fails", async () => {
  const { world, client, chat, ann } = await pair();
  world.server.chats.get(chat.id).members.delete(ann.id);
  await client.send(chat.id, "refused");
  await client.send(chat.id, "unwanted");
  await world.clock.pass(1_000);
  world.server.chats.get(chat.id).members.set(ann.id, { role: "member", joined_at: "t", last_read_id: 0 });
  await world.during(client.resync());
  await world.clock.pass(2_000);
  const { storage } = client.env;
  storage.set = storage.delete = async () => {
    throw new Error("no room");
  };
  const [first, second] = client.outgoing(chat.id);
  if (second) await client.discard(second);
  if (first) await client.retry(first);
  await world.clock.pass(2_000);
  assert.deepEqual([texts(chat), client.outgoing(chat.id)], [["refused"], []]);
});

/** Has every request that matches refused. @param {any} client @param {RegExp} path @param {number} status */
function refusing(client, path, status) {
  const { fetch } = client.env;
  /** @type {string[]} */
  const refused = [];
  client.env.fetch = async (/** @type {string} */ url, /** @type {any} */ options) => {
    if (!path.test(url)) return fetch(url, options);
    refused.push(url);
    // Without a code, as a gateway answers.
    return { ok: false, status, headers: { get: () => null }, text: async () => "{}" };
  };
  return refused;
}

test("a message that is unauthorized twice in a row has failed, and so has one that is forbidden", async () => {
  const { world, client, chat } = await pair();
  client.env.WebSocket = /** @type {any} */ (
    class {
      close() {}
    }
  );
  for (const socket of [...world.network.sockets]) socket.die(1006);
  const { fetch } = client.env;
  for (const [status, code] of /** @type {Array<[number, string]>} */ ([
    [401, "unauthorized"],
    [403, "forbidden"],
  ])) {
    const refused = refusing(client, /\/messages$/, status);
    const item = await client.send(chat.id, code);
    await world.clock.pass(60_000);
    assert.deepEqual([item.state, item.error?.code], ["failed", code]);
    assert.ok(refused.length <= 4, `${refused.length} attempts`);
    client.env.fetch = fetch;
  }
});

test("a catch-up that is refused for good is repeated with growing waits", async () => {
  const { world, client, chat, ben } = await pair();
  const refused = refusing(client, /\/changes/, 403);
  world.network.faults = { ...NO_FAULTS, losePush: 1 };
  world.server.send(ben, { chat_id: chat.id, text: "lost", client_message_id: "l" });
  world.network.faults = { ...NO_FAULTS };
  world.server.send(ben, { chat_id: chat.id, text: "behind the hole", client_message_id: "b" });
  await world.clock.pass(5 * 60_000);
  assert.ok(refused.length >= 5 && refused.length < 30, `${refused.length} attempts`);
});
