// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./sim/world.js";

/**
 * Ann's chat with Ben, who is online.
 * @param {(fetch: () => Promise<any>, world: World) => Promise<any>} first what becomes of the first request for Ann's
 *   list of chats
 */
async function start(first) {
  const world = new World(11);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  world.server.createChat(ann, "private", null, [ben.id]);
  await world.enter("ben");
  const client = world.tab(world.browser());
  const { fetch } = world.network;
  let lists = 0;
  client.env.fetch = (url, options) =>
    new URL(url).pathname === "/chats" && ++lists === 1 ? first(() => fetch(url, options), world) : fetch(url, options);
  await world.during(client.login("ann", "password"));
  await world.clock.pass(10_000);
  assert.equal(client.connection, "online");
  return { world, client, ben };
}

test("who is online is known, even if the socket is open before the list of chats has come", async () => {
  let open = () => {};
  const held = new Promise((/** @type {(value: void) => void} */ resolve) => (open = resolve));
  const { world, client, ben } = await start(async (fetch) => {
    const answer = await fetch();
    await held;
    return answer;
  });
  assert.equal(client.listed, false);
  open();
  await world.clock.pass(2_000);
  assert.equal(client.status(ben.id)?.online, true);
});

test("who is online is known, even if the list of chats comes at the second attempt only", async () => {
  const { world, client, ben } = await start(
    (_, { clock }) => new Promise((_, reject) => clock.setTimeout(() => reject(new TypeError("fetch failed")), 5_000)),
  );
  await world.clock.pass(30_000);
  assert.equal(client.status(ben.id)?.online, true);
});

test("the list is read again for whoever asks while it is being read, and they wait for that", async () => {
  const { world, client } = await start((fetch) => fetch());
  const before = world.network.seen.length;
  let done = 0;
  const asking = Promise.all([1, 2, 3].map(() => client.resync().then(() => done++)));
  await world.clock.pass(1);
  assert.equal(done, 0);
  await world.during(asking);
  assert.equal(world.network.seen.slice(before).filter((call) => call === "GET /chats").length, 2);
});
