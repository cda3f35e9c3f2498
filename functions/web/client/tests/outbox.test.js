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
  assert.deepEqual(texts(group), ["refused"]);
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
