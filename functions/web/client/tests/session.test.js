// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_FAULTS } from "./sim/network.js";
import { World } from "./sim/world.js";

const QUARTER_HOUR = 15 * 60_000;

/** @param {World} world */
const refreshes = (world) => world.network.seen.filter((call) => call === "POST /auth/refresh").length;

async function twoTabs() {
  const world = new World(1);
  world.server.addUser("ann");
  const browser = world.browser();
  const first = await world.enter("ann", browser);
  const second = world.tab(browser);
  await world.during(second.start());
  await world.clock.pass(1_000);
  return { world, first, second };
}

test("two tabs whose token has expired refresh it once, and both go on", async () => {
  const { world, first, second } = await twoTabs();
  await world.clock.pass(QUARTER_HOUR);
  await world.during(Promise.all([first.resync(), second.resync()]));
  assert.equal(refreshes(world), 1);
  assert.ok(first.account && second.account);
});

test("without a lock between them, two tabs still do not end their session", async () => {
  const { world, first, second } = await twoTabs();
  const free = { request: (/** @type {string} */ _, /** @type {any} */ work) => work() };
  first.env.locks = second.env.locks = free;
  await world.clock.pass(QUARTER_HOUR);
  await world.during(Promise.all([first.resync(), second.resync()]));
  await world.clock.pass(2 * QUARTER_HOUR);
  await world.during(Promise.all([first.resync(), second.resync()]));
  assert.ok(first.account && second.account);
});

test("a refresh whose answer was lost is repeated within the grace", async () => {
  const { world, first } = await twoTabs();
  await world.clock.pass(QUARTER_HOUR);
  const { fetch } = world.network;
  let lost = 0;
  first.env.fetch = async (url, options) => {
    const answer = await fetch(url, options);
    if (url.endsWith("/auth/refresh") && lost++ < 2) throw new TypeError("fetch failed");
    return answer;
  };
  await world.during(first.resync());
  assert.equal(lost, 3);
  assert.ok(first.account);
});

test("a session that ended elsewhere is a log-out, and the client does not come back", async () => {
  const { world, first, second } = await twoTabs();
  /** @type {string[]} */
  const reasons = [];
  second.on("ended", (reason) => reasons.push(reason));
  const session = [...world.server.sessions.values()][0];
  world.server.endSession(session, "password_changed");
  await world.clock.pass(QUARTER_HOUR);
  assert.deepEqual(reasons, ["password_changed"]);
  assert.deepEqual([first.account, second.account, world.server.devices.size], [null, null, 0]);
});

test("unsent messages and drafts outlive the end of a session, but not a log-out", async () => {
  const world = new World(2);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const { id } = world.server.createChat(ann, "private", null, [ben.id]);
  const browser = world.browser();
  const client = await world.enter("ann", browser);
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.during(client.send(id, "later"));
  client.setDraft(id, "begun");
  await world.during(client.session.end("session_ended"));
  await world.during(client.session.restore());
  world.network.faults = { ...NO_FAULTS };
  await world.during(client.login("ann", "password"));
  assert.equal(client.draft(id), "begun");
  await world.clock.pass(5_000);
  assert.deepEqual(
    world.server.chats.get(id).messages.map((/** @type {any} */ m) => m.text),
    ["later"],
  );
  await world.during(client.logout());
  assert.deepEqual(await browser.storage.entries(""), []);
});

test("a tab notices that another one has logged in as somebody else", async () => {
  const { world, first, second } = await twoTabs();
  world.server.addUser("ben");
  /** @type {string[]} */
  const reasons = [];
  first.on("ended", (reason) => reasons.push(reason));
  await world.during(second.login("ben", "password"));
  await world.clock.pass(QUARTER_HOUR);
  await world.during(first.resync()).catch(() => {});
  assert.deepEqual(reasons, ["other_account"]);
  assert.equal(second.account?.username, "ben");
});
