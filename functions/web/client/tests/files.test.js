// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FAULTS } from "./sim/network.js";
import { World } from "./sim/world.js";

const MINUTE = 60_000;
const PICTURE = { name: "cat.png", content_type: "image/png", size: 4, width: 2, height: 2, preview: "AAAA" };
const bytes = () => new Blob(["four"]);

async function pair() {
  const world = new World(8);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const chat = world.server.createChat(ann, "group", "g", [ben.id]);
  const browser = world.browser();
  const client = await world.enter("ann", browser);
  world.network.seen.length = 0;
  return { world, ann, ben, chat, client, browser };
}

/** @param {World} world */
const asked = (world) => world.network.seen.filter((call) => call === "GET /files").length;

/** The code that a promise is refused with. @param {Promise<any>} promise */
const refusal = (promise) =>
  promise.then(
    () => null,
    (error) => error.code,
  );

test("a file is announced, brought to the store and done, and tells how far it is", async () => {
  const { world, client } = await pair();
  /** @type {number[]} */
  const shares = [];
  const progress = (/** @type {number} */ share) => void shares.push(share);
  const file = await world.during(client.files.upload(bytes(), PICTURE, { progress }));
  assert.deepEqual({ ...file, id: "" }, { id: "", ...PICTURE });
  assert.deepEqual(world.network.seen, ["POST /files", `PUT /files/${file.id}/data`, `POST /files/${file.id}/done`]);
  assert.deepEqual(shares, [0.5, 1]);
});

test("an upload goes on through a bad network", async () => {
  const { world, client } = await pair();
  world.network.faults = { ...NO_FAULTS, loseFrame: 0.3, overload: 0.2 };
  let done = 0;
  for (let i = 0; i < 10; i++) {
    const file = await world.during(client.files.upload(bytes(), PICTURE)).catch(() => null);
    if (file) done++;
  }
  assert.ok(done >= 8, `${done} of 10`);
});

test("a file that the store has not got after all is brought there again", async () => {
  const { world, client } = await pair();
  const { store } = world.server;
  world.server.store = () => {
    world.server.store = store;
    return 200;
  };
  const file = await world.during(client.files.upload(bytes(), PICTURE));
  assert.equal(world.server.stored.get(file.id), 4);
});

test("what the store refuses has failed, and is not tried again", async () => {
  const { world, client } = await pair();
  const code = await refusal(world.during(client.files.upload(new Blob(["too long"]), PICTURE)));
  assert.equal(code, "file_refused");
  assert.equal(world.network.seen.filter((call) => call.startsWith("PUT")).length, 1);
});

test("an upload is given up at once, also while it waits for its next attempt", async () => {
  const { world, client } = await pair();
  for (const faults of [{ ...NO_FAULTS }, { ...NO_FAULTS, refuse: 1 }]) {
    const abort = new AbortController();
    const code = refusal(client.files.upload(bytes(), PICTURE, { signal: abort.signal }));
    world.network.faults = faults;
    await world.clock.pass(60);
    abort.abort();
    assert.equal(await world.during(code), "aborted");
    world.network.faults = { ...NO_FAULTS };
  }
  assert.deepEqual(
    world.network.seen.filter((call) => call.endsWith("/done")),
    [],
  );
});

/** @param {World} world @param {any} client @param {number} count @returns {Promise<string[]>} ids */
async function uploaded(world, client, count) {
  const ids = [];
  for (let i = 0; i < count; i++) ids.push((await world.during(client.files.upload(bytes(), PICTURE))).id);
  return ids;
}

test("links asked for in one go are one request, and are kept", async () => {
  const { world, client } = await pair();
  const ids = await uploaded(world, client, 3);
  const ask = () => world.during(Promise.all([...ids, ...ids].map((id) => client.files.link(id))));
  const urls = await ask();
  assert.equal(asked(world), 1);
  assert.match(String(urls[0]), /^http:\/\/server\/files\/f-\d+\/data\?at=/);
  assert.deepEqual(await ask(), urls);
  assert.equal(asked(world), 1);
});

test("more links than fit into one request are two", async () => {
  const { world, client } = await pair();
  const ids = await uploaded(world, client, 1);
  const many = [...Array.from({ length: 120 }, (_, i) => `none-${i}`), ...ids];
  const found = await world.during(Promise.allSettled(many.map((id) => client.files.link(id))));
  assert.equal(found.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal(asked(world), 2);
});

test("a link is renewed before it expires, or if it did not work", async () => {
  const { world, client } = await pair();
  const [id = ""] = await uploaded(world, client, 1);
  const first = await world.during(client.files.link(id));
  await world.clock.pass(4 * MINUTE);
  assert.equal(await world.during(client.files.link(id)), first);
  await world.clock.pass(MINUTE - 20_000);
  const second = await world.during(client.files.link(id));
  assert.notEqual(second, first);
  const third = await world.during(client.files.link(id, { fresh: true }));
  assert.notEqual(third, second);
  assert.equal(await world.during(client.files.link(id)), third);
});

test("a device whose clock is wrong still gets links", async () => {
  const { world, client } = await pair();
  const [id = ""] = await uploaded(world, client, 1);
  const { now } = world.clock;
  for (const error of [-3_600_000, 3_600_000]) {
    client.env.clock.now = () => now() + error;
    assert.match(await world.during(client.files.link(id, { fresh: true })), /^http/);
    await world.clock.pass(6 * MINUTE);
    const before = asked(world);
    await world.during(client.files.link(id));
    assert.equal(asked(world), before + 1, "an old link is not used");
  }
  client.env.clock.now = now;
});

test("a file that cannot be seen is not asked for over and over; a lost answer is", async () => {
  const { world, client } = await pair();
  assert.equal(await refusal(world.during(client.files.link("nothing"))), "file_not_found");
  assert.equal(await refusal(world.during(client.files.link("nothing"))), "file_not_found");
  assert.equal(asked(world), 1);
  const [id = ""] = await uploaded(world, client, 1);
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  assert.equal(await refusal(world.during(client.files.link(id))), "network");
  world.network.faults = { ...NO_FAULTS };
  assert.match(await world.during(client.files.link(id)), /^http/);
});

test("a message with files needs no text, shows them while it waits, and is sent after a reload", async () => {
  const { world, client, chat, browser } = await pair();
  const file = await world.during(client.files.upload(bytes(), PICTURE));
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await client.send(chat.id, "", null, [file]);
  await client.send(chat.id, "look", null, [file]);
  await client.send(chat.id, "words");
  assert.deepEqual(client.outgoing(chat.id).map((item) => item.files), [[file], [file], []]);
  client.stop();
  world.network.faults = { ...NO_FAULTS };
  const reloaded = world.tab(browser);
  await world.during(reloaded.start());
  assert.deepEqual(reloaded.outgoing(chat.id)[0]?.files, [file]);
  await world.clock.pass(60_000);
  const sent = chat.messages.map((/** @type {any} */ message) => [message.text, message.files]);
  assert.deepEqual(sent, [["", [file]], ["look", [file]], ["words", undefined]]);
  assert.deepEqual(reloaded.chat(chat.id)?.lastMessage?.text, "words");
  assert.deepEqual(await browser.storage.entries("outbox"), []);
});

test("a message whose file is gone has failed", async () => {
  const { world, client, chat } = await pair();
  const file = await world.during(client.files.upload(bytes(), PICTURE));
  world.server.files.clear();
  await client.send(chat.id, "", null, [file]);
  await world.clock.pass(1_000);
  const [item] = client.outgoing(chat.id);
  assert.deepEqual([item?.state, item?.error?.code], ["failed", "file_not_found"]);
});

test("a deleted message has no files, an edited one keeps them", async () => {
  const { world, client, chat } = await pair();
  const file = await world.during(client.files.upload(bytes(), PICTURE));
  await world.during(client.open(chat.id));
  await client.send(chat.id, "", null, [file]);
  await world.clock.pass(1_000);
  const held = () => client.chat(chat.id)?.window.get(1);
  await world.during(client.edit(/** @type {any} */ (held()), "a cat"));
  assert.deepEqual([held()?.text, held()?.files], ["a cat", [file]]);
  await world.during(client.remove(/** @type {any} */ (held())));
  assert.deepEqual([held()?.text, held()?.files], [null, undefined]);
});

test("pictures of people and groups arrive, and go", async () => {
  const { world, client, chat, ann } = await pair();
  const ben = await world.enter("ben");
  const file = await world.during(client.files.upload(bytes(), PICTURE));
  await world.during(client.own.change({ avatar_id: file.id }));
  await world.during(client.group(chat.id, client.calls.change(chat.id, { picture_id: file.id })));
  await world.during(ben.open(chat.id));
  await world.clock.pass(2_000);
  assert.equal(client.account?.avatar_id, file.id);
  assert.equal(ben.person(ann.id)?.avatar_id, file.id);
  assert.equal(ben.chat(chat.id)?.pictureId, file.id);
  assert.equal(ben.chat(chat.id)?.lastMessage?.event?.type, "picture_changed");
  await world.during(client.own.change({ avatar_id: null }));
  await world.during(client.group(chat.id, client.calls.change(chat.id, { picture_id: null })));
  await world.clock.pass(2_000);
  assert.equal(ben.person(ann.id)?.avatar_id, undefined);
  assert.equal(ben.chat(chat.id)?.pictureId, null);
});

test("in a private chat, the other's picture is that of the chat", async () => {
  const { world, client, ben } = await pair();
  const other = await world.enter("ben");
  const chat = await world.during(client.createPrivate(ben.id));
  const file = await world.during(other.files.upload(bytes(), PICTURE));
  await world.during(other.own.change({ avatar_id: file.id }));
  await world.clock.pass(2_000);
  assert.equal(client.chat(chat.id)?.peer?.avatar_id, file.id);
});
