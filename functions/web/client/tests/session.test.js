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

/** A promise, and what settles it. */
function gate() {
  let open = () => {};
  const passed = new Promise((/** @type {(value: void) => void} */ resolve) => (open = resolve));
  return { open, passed };
}

test("a request of one person is not repeated with the tokens of the next", async () => {
  const world = new World(5);
  for (const name of ["ann", "ben"]) world.server.addUser(name);
  const client = await world.enter("ann");
  const { fetch } = world.network;
  const held = gate();
  /** @type {string[]} */
  const tokens = [];
  client.env.fetch = async (url, options) => {
    if (!url.includes("/messages/search")) return fetch(url, options);
    tokens.push(options.headers["Authorization"]);
    await held.passed;
    const body = JSON.stringify({ code: "unauthorized", message: "x" });
    return { ok: false, status: 401, headers: { get: () => null }, text: async () => body };
  };
  const search = client.calls.searchMessages("of Ann");
  const refused = assert.rejects(search, { code: "no_session" });
  await world.clock.pass(10);
  await world.during(client.logout());
  await world.during(client.login("ben", "password"));
  held.open();
  await world.during(refused);
  assert.equal(tokens.length, 1);
  assert.equal(client.account?.username, "ben");
});

test("an answer to one person is not given to the next", async () => {
  const world = new World(5);
  for (const name of ["ann", "ben"]) world.server.addUser(name);
  const client = await world.enter("ann");
  const { fetch } = world.network;
  const held = gate();
  client.env.fetch = async (url, options) => {
    const answer = await fetch(url, options);
    if (url.includes("/users")) await held.passed;
    return answer;
  };
  const refused = assert.rejects(client.session.call("GET", "/users", { query: { ids: "u-00001" } }), {
    code: "no_session",
  });
  await world.clock.pass(500);
  await world.during(client.logout());
  await world.during(client.login("ben", "password"));
  held.open();
  await world.during(refused);
});

test("an old tab leaves the tokens of a newer login of the same person alone", async () => {
  const { world, first, second } = await twoTabs();
  /** @type {string[]} */
  const reasons = [];
  first.on("ended", (reason) => reasons.push(reason));
  const session = first.session;
  await world.during(second.session.login("ann", "password"));
  const stored = await first.env.storage.get("session");
  await world.during(session.end("session_ended"));
  assert.deepEqual(await first.env.storage.get("session"), stored);
  const third = world.tab({ ...world.browser(), storage: /** @type {any} */ (first.env.storage) });
  await world.during(third.start());
  await world.clock.pass(QUARTER_HOUR);
  await world.during(third.resync());
  assert.deepEqual([reasons, third.account?.username], [["session_ended"], "ann"]);
});

test("a storage that refuses the refreshed tokens does not end the session", async () => {
  const world = new World(6);
  world.server.addUser("ann");
  const client = await world.enter("ann");
  const { set } = client.env.storage;
  client.env.storage.set = async () => {
    throw new Error("no room");
  };
  for (let i = 0; i < 3; i++) {
    await world.clock.pass(QUARTER_HOUR);
    await world.during(client.resync());
  }
  assert.deepEqual([client.account?.username, world.server.copies], ["ann", []]);
  client.env.storage.set = set;
  await world.clock.pass(QUARTER_HOUR);
  await world.during(client.resync());
  const stored = await client.env.storage.get("session");
  assert.ok(stored.expires_at > world.clock.now());
});

test("a log-out erases this device first, without waiting for the server", async () => {
  const world = new World(7);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const { id } = world.server.createChat(ann, "private", null, [ben.id]);
  const browser = world.browser();
  const client = await world.enter("ann", browser);
  const session = [...world.server.sessions.values()][0];
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.during(client.send(id, "unsent"));
  client.setDraft(id, "begun");
  // Not even time passes, so that nothing can have been asked for.
  await client.logout();
  client.setDraft(id, "more");
  assert.deepEqual(await browser.storage.entries(""), []);
  assert.equal(client.account, null);
  world.network.faults = { ...NO_FAULTS };
  await world.clock.pass(10_000);
  assert.equal(world.server.sessions.has(session.id), false);
  assert.deepEqual(await browser.storage.entries(""), []);
});

test("a log-out with an access token that has expired still ends the session", async () => {
  const world = new World(7);
  world.server.addUser("ann");
  const client = await world.enter("ann");
  const session = [...world.server.sessions.values()][0];
  await world.clock.pass(QUARTER_HOUR + 60_000);
  await client.logout();
  await world.clock.pass(10_000);
  assert.equal(world.server.sessions.has(session.id), false);
});

test("a log-out erases what it can, even if the storage fails", async () => {
  const world = new World(7);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const { id } = world.server.createChat(ann, "private", null, [ben.id]);
  const browser = world.browser();
  const client = await world.enter("ann", browser);
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  for (const socket of [...world.network.sockets]) socket.die(1006);
  await world.during(client.send(id, "unsent"));
  client.setDraft(id, "begun");
  await world.clock.pass(10);
  const { entries } = browser.storage;
  browser.storage.entries = async () => {
    throw new Error("unreadable");
  };
  await client.logout();
  assert.deepEqual(await entries.call(browser.storage, ""), []);
  assert.equal(client.account, null);
});

test("a log-out in one tab ends the others, which write nothing any more", async () => {
  const world = new World(8);
  const [ann, ben] = [world.server.addUser("ann"), world.server.addUser("ben")];
  const { id } = world.server.createChat(ann, "private", null, [ben.id]);
  const browser = world.browser();
  const first = await world.enter("ann", browser);
  const second = world.tab(browser);
  await world.during(second.start());
  /** @type {string[]} */
  const reasons = [];
  second.on("ended", (reason) => reasons.push(reason));
  second.setDraft(id, "in the other tab");
  world.network.faults = { ...NO_FAULTS, refuse: 1 };
  await first.logout();
  await world.clock.pass(10);
  second.setDraft(id, "more");
  await world.clock.pass(10);
  assert.deepEqual([reasons, second.account], [["logged_out"], null]);
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
