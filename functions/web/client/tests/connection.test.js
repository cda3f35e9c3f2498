// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FAULTS } from "./sim/network.js";
import { World } from "./sim/world.js";

const HOUR = 3_600_000;

async function pair() {
  const world = new World(3);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const chat = world.server.createChat(ann, "private", null, [ben.id]);
  const client = await world.enter("ann");
  return { world, ann, ben, chat, client };
}

test("the next socket is opened before the old one is two hours old, and nothing is missed", async () => {
  const { world, ben, chat, client } = await pair();
  const [first] = world.network.sockets;
  let most = 0;
  /** @type {string[]} */
  const states = [];
  client.on("connection", (state) => states.push(state));
  for (let i = 0; i < 7_000; i++) {
    await world.clock.pass(1_000);
    most = Math.max(most, world.server.devices.size);
    if (i % 100 === 0) world.server.send(ben, { chat_id: chat.id, text: "x", client_message_id: `b${i}` });
  }
  assert.equal(most, 2);
  assert.deepEqual(states, []);
  assert.equal(world.server.devices.has(first.device), false);
  await world.clock.pass(1_000);
  assert.equal(client.chat(chat.id)?.revision, chat.revision);
});

test("a socket that does not answer a ping is given up", async () => {
  const { world, client } = await pair();
  const [socket] = world.network.sockets;
  socket.send = () => {};
  await world.clock.pass(135_000);
  assert.equal(socket.closed, true);
  assert.equal(client.connection, "online");
  assert.notEqual([...world.server.devices][0], socket.device);
});

/** When a client's sockets are made, from now on. @param {World} world @param {any} client */
function constructions(world, client) {
  /** @type {number[]} */
  const times = [];
  const Socket = client.env.WebSocket;
  client.env.WebSocket = class extends Socket {
    /** @param {string} url @param {string[]} protocols */
    constructor(url, protocols) {
      super(url, protocols);
      times.push(world.clock.now());
    }
  };
  return times;
}

/** @param {number[]} times */
const gaps = (times) => times.slice(1).map((time, i) => time - /** @type {number} */ (times[i]));

test("attempts to reconnect come further and further apart, and not at the same time everywhere", async () => {
  const { world, client } = await pair();
  const other = await world.enter("ben");
  const [ours, theirs] = [constructions(world, client), constructions(world, other)];
  // HTTP works, so that each attempt gets as far as the socket.
  world.network.socketFault = "refuse";
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(10 * 60_000);
  for (const times of [ours, theirs]) {
    assert.ok(times.length > 20 && times.length < 60, `${times.length} attempts`);
    const waits = gaps(times);
    // Each wait is at least half of its ceiling, which doubles up to thirty seconds.
    for (const [i, wait] of waits.entries()) {
      const ceiling = Math.min(30_000, 500 * 2 ** (i + 1));
      assert.ok(wait >= ceiling / 2, `the wait number ${i + 1} was ${wait} ms`);
      assert.ok(wait <= ceiling + 1_000, `the wait number ${i + 1} was ${wait} ms`);
    }
  }
  assert.equal(ours.filter((time) => theirs.includes(time)).length, 0);
  assert.equal(client.connection === "waiting" || client.connection === "connecting", true);
  world.network.socketFault = null;
  await world.clock.pass(31_000);
  assert.deepEqual([client.connection, other.connection], ["online", "online"]);
});

test("sockets that die right after they were opened count as failures", async () => {
  const { world, client } = await pair();
  const times = constructions(world, client);
  world.network.socketFault = "die";
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(10 * 60_000);
  assert.ok(times.length > 20 && times.length < 60, `${times.length} attempts`);
  world.network.socketFault = null;
  await world.clock.pass(65_000);
  times.length = 0;
  const closed = world.clock.now();
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(2_000);
  assert.ok(/** @type {number} */ (times[0]) - closed <= 500, "after half a minute the waits begin anew");
});

test("a socket that cannot even be made is tried again, with a URL asked for anew", async () => {
  const world = new World(3);
  world.server.addUser("ann");
  const browser = world.browser();
  await world.enter("ann", browser);
  /** @type {boolean[]} */
  const asked = [];
  const client = world.tab(browser, 40, async (again) => {
    asked.push(again);
    return "ws://server/ws";
  });
  const Socket = client.env.WebSocket;
  client.env.WebSocket = class {
    constructor() {
      throw new SyntaxError("not a URL");
    }
  };
  await world.during(client.start());
  await world.clock.pass(3_000);
  assert.equal(client.connection, "waiting");
  assert.deepEqual(asked.slice(0, 2), [false, true]);
  client.env.WebSocket = Socket;
  await world.clock.pass(5_000);
  assert.equal(client.connection, "online");
});

test("a close with 1000 and without a reason is asked about, and not answered with a new socket", async () => {
  const { world, client } = await pair();
  const times = constructions(world, client);
  world.network.seen.length = 0;
  for (const socket of [...world.network.sockets]) socket.die(1000);
  await world.clock.pass(HOUR);
  assert.deepEqual([client.connection, times], ["displaced", []]);
  assert.deepEqual(
    world.network.seen.filter((call) => call.startsWith("GET /auth/me")),
    ["GET /auth/me"],
  );
  client.connect();
  await world.clock.pass(2_000);
  assert.equal(client.connection, "online");
});

test("a close with 1000 because the session has ended is a log-out", async () => {
  const { world, client } = await pair();
  /** @type {string[]} */
  const reasons = [];
  client.on("ended", (reason) => reasons.push(reason));
  world.server.sessions.clear();
  for (const socket of [...world.network.sockets]) socket.die(1000);
  await world.clock.pass(5_000);
  assert.deepEqual([reasons, client.account], [["session_ended"], null]);
});

test("a close with 1000 that cannot be asked about is asked about later", async () => {
  const { world, client } = await pair();
  const times = constructions(world, client);
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1000);
  await world.clock.pass(20_000);
  assert.deepEqual([client.connection === "displaced", times], [false, []]);
  world.network.faults = { ...NO_FAULTS };
  await world.clock.pass(40_000);
  assert.deepEqual([client.connection, times], ["displaced", []]);
});

test("a device that was pushed out stays out until it is asked to come back", async () => {
  const { world, client } = await pair();
  const [device] = world.server.devices;
  device?.push({ type: "error", data: { code: "too_many_connections", message: "x", request_id: "x" } });
  device?.close();
  await world.clock.pass(HOUR);
  assert.equal(client.connection, "displaced");
  assert.equal(world.server.devices.size, 0);
  client.connect();
  await world.clock.pass(2_000);
  assert.equal(client.connection, "online");
});

test("what was missed while offline is fetched, and nothing more", async () => {
  const { world, ben, chat, client } = await pair();
  await world.during(client.open(chat.id));
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  for (let i = 0; i < 30; i++)
    world.server.send(ben, { chat_id: chat.id, text: `missed ${i}`, client_message_id: `m${i}` });
  await world.clock.pass(20_000);
  world.network.faults = { ...NO_FAULTS };
  world.network.seen.length = 0;
  await world.clock.pass(40_000);
  const texts = client.chat(chat.id)?.window.messages.map((message) => message.text);
  assert.deepEqual(
    texts,
    Array.from({ length: 30 }, (_, i) => `missed ${i}`),
  );
  assert.equal(world.network.seen.filter((call) => call.endsWith("/changes")).length, 1);
});

test("a chat that has gone far ahead is begun anew", async () => {
  const { world, ben, chat, client } = await pair();
  await world.during(client.open(chat.id));
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  for (let i = 0; i < 1_500; i++)
    world.server.send(ben, { chat_id: chat.id, text: `${i}`, client_message_id: `m${i}` });
  world.network.faults = { ...NO_FAULTS };
  world.network.seen.length = 0;
  await world.clock.pass(40_000);
  assert.equal(world.network.seen.filter((call) => call.endsWith("/changes")).length, 0);
  assert.deepEqual([client.chat(chat.id)?.revision, client.chat(chat.id)?.lastMessage?.text], [1_501, "1499"]);
});

test("somebody added to an old group fetches it without its history", async () => {
  const { world, ben, client, ann } = await pair();
  const group = world.server.createChat(ben, "group", "old", []);
  for (let i = 0; i < 500; i++) world.server.send(ben, { chat_id: group.id, text: `${i}`, client_message_id: `m${i}` });
  world.network.seen.length = 0;
  world.server.addMember(ben, group.id, ann.id);
  await world.clock.pass(3_000);
  assert.equal(client.chat(group.id)?.name, "old");
  assert.equal(world.network.seen.filter((call) => call.endsWith("/changes")).length, 0);
});

test("without a socket, chats are kept up to date over HTTP", async () => {
  const { world, ben, chat, client } = await pair();
  client.env.WebSocket = /** @type {any} */ (
    class {
      constructor() {
        world.clock.setTimeout(() => /** @type {any} */ (this).onclose({ code: 1006 }), 10);
      }

      close() {}
    }
  );
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.clock.pass(5_000);
  world.server.send(ben, { chat_id: chat.id, text: "over HTTP", client_message_id: "x" });
  await world.clock.pass(40_000);
  assert.equal(client.chat(chat.id)?.lastMessage?.text, "over HTTP");
});
