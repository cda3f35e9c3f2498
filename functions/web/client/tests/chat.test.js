// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chat } from "../index.js";

/** @param {string} id @param {number} [last_read_id] @param {string} [joined_at] @returns {any} */
const member = (id, last_read_id = 0, joined_at = "t") => ({
  id,
  name: id,
  username: id,
  role: "member",
  joined_at,
  last_read_id,
});
/** @param {number} revision @param {any[]} members @param {number} [last_message_id] @returns {any} */
const object = (revision, members, last_message_id = 0) => ({
  id: "c",
  kind: "group",
  name: `name ${revision}`,
  created_by: "me",
  created_at: "t",
  revision,
  last_message_id,
  members,
});
/** @param {number} id @param {number} revision @returns {any} */
const sent = (id, revision) => ({
  type: "new_message",
  data: { chat_id: "c", id, revision, sender_id: "ben", text: "x" },
});

function chat() {
  const made = new Chat("c", "me", 100);
  made.begin(object(1, [member("me"), member("ben")]));
  return made;
}

test("the next revision is applied, an old one is dropped, a later one is a hole", () => {
  const it = chat();
  assert.equal(it.receive(sent(1, 2)), "applied");
  assert.equal(it.receive(sent(1, 2)), "old");
  assert.equal(it.receive(sent(3, 4)), "hole");
  assert.equal(it.lastMessageId, 1);
});

test("a push that was late fills the hole for those that waited", () => {
  const it = chat();
  it.receive(sent(2, 3));
  it.receive(sent(3, 4));
  assert.equal(it.receive(sent(1, 2)), "applied");
  assert.deepEqual([it.revision, it.lastMessageId, it.hasHole], [4, 3, false]);
});

test("a snapshot ahead of the pushes is not undone by them", () => {
  const it = chat();
  it.describe(object(4, [member("me")]));
  const entry = /** @type {any} */ ({ chat_id: "c", id: 1, revision: 2, sender_id: "me", kind: "service", text: null });
  it.receive({ type: "member_added", data: { chat_id: "c", revision: 2, by: "me", member: member("cy"), entry } });
  assert.deepEqual([...(it.members?.keys() ?? [])], ["me"]);
  assert.equal(it.name, "name 4");
});

test("a cursor that overtakes a snapshot stays where it is", () => {
  const it = chat();
  it.receipt({ chat_id: "c", user_id: "ben", message_id: 7, read_at: "t" });
  it.describe(object(2, [member("me"), member("ben", 3)], 9));
  assert.equal(it.members?.get("ben")?.last_read_id, 7);
});

test("a receipt of somebody not known yet counts once they are", () => {
  const it = chat();
  it.receipt({ chat_id: "c", user_id: "cy", message_id: 7, read_at: "t" });
  it.describe(object(2, [member("me"), member("ben"), member("cy", 3)], 9));
  assert.equal(it.members?.get("cy")?.last_read_id, 7);
});

test("somebody who has come back has the cursor of their new membership", () => {
  const it = chat();
  it.receipt({ chat_id: "c", user_id: "ben", message_id: 7, read_at: "t" });
  it.describe(object(3, [member("me"), member("ben", 0, "later")], 9));
  assert.equal(it.members?.get("ben")?.last_read_id, 0);
});

test("a message of one's own is read once anybody else has read it", () => {
  const it = chat();
  const mine = /** @type {any} */ ({ id: 2, sender_id: "me" });
  assert.equal(it.isRead(mine), false);
  it.receipt({ chat_id: "c", user_id: "me", message_id: 2, read_at: "t" });
  assert.equal(it.isRead(mine), false);
  it.receipt({ chat_id: "c", user_id: "ben", message_id: 2, read_at: "t" });
  assert.equal(it.isRead(mine), true);
});

test("a message moves its sender's cursor", () => {
  const it = chat();
  it.receive(sent(1, 2));
  assert.equal(it.members?.get("ben")?.last_read_id, 1);
  assert.equal(it.unread, 1);
});

/** @param {Partial<import("../types.js").ListedChat>} fields @returns {any} */
const listed = (fields) => ({ ...object(5, []), last_message_id: 4, last_read_id: 1, unread_mentions: 0, ...fields });

test("only words count as unread, whether or not they have been seen", () => {
  const it = new Chat("c", "me", 100);
  // Of three messages after the first, one was deleted.
  it.list(listed({ unread_count: 2 }));
  assert.equal(it.unread, 2);
  it.receive(sent(5, 6));
  it.receive({ type: "message_deleted", data: /** @type {any} */ ({ ...sent(5, 7).data, text: null }) });
  assert.equal(it.unread, 2);
  // The one that was counted as deleted comes with a page.
  it.showLast(/** @type {any} */ ({ id: 3, revision: 4, sender_id: "ben", text: null }));
  assert.equal(it.unread, 2);
  it.moveCursor("me", 4);
  assert.equal(it.unread, 0);
});

test("mentions are counted until they are read", () => {
  const it = new Chat("c", "me", 100);
  it.list(listed({ unread_count: 3, unread_mentions: 1 }));
  const next = sent(5, 6);
  it.receive({ ...next, data: { ...next.data, mentions: ["me"] } });
  assert.equal(it.unreadMentions, 2);
  it.moveCursor("me", 5);
  assert.equal(it.unreadMentions, 0);
});

test("a reaction changes the message that is held, and only its own person's are theirs", () => {
  const it = chat();
  it.window.replace([], true);
  it.receive(sent(1, 2));
  /** @param {number} revision @param {string} by @param {string[]} chosen @param {any[]} reactions @returns {any} */
  const reacted = (revision, by, chosen, reactions) => ({
    type: "message_reacted",
    data: { chat_id: "c", message_id: 1, revision, by, chosen, reactions },
  });
  it.receive(reacted(3, "me", ["a"], [{ emoji: "a", count: 1 }]));
  it.receive(reacted(4, "ben", ["a"], [{ emoji: "a", count: 2 }]));
  for (const message of [it.window.get(1), it.lastMessage]) {
    assert.deepEqual([message?.reactions, message?.my_reactions], [[{ emoji: "a", count: 2 }], ["a"]]);
  }
  // A frame about the message has nobody's own.
  it.receive({
    type: "message_edited",
    data: /** @type {any} */ ({ ...sent(1, 5).data, reactions: [{ emoji: "a", count: 2 }] }),
  });
  assert.deepEqual(it.window.get(1)?.my_reactions, ["a"]);
  it.receive(reacted(6, "ben", [], []));
  assert.deepEqual([it.lastMessage?.reactions, it.lastMessage?.my_reactions], [undefined, undefined]);
});

test("a change of reactions is not undone by an older page that is on its way", async () => {
  const it = chat();
  /** @type {(page: any[]) => void} */
  let arrive = () => {};
  const page = /** @type {Promise<any[]>} */ (new Promise((resolve) => (arrive = resolve)));
  const loading = it.window.loading(
    () => page,
    (messages) => it.window.replace(messages, true),
  );
  it.receive(sent(1, 2));
  const change = { chat_id: "c", message_id: 1, revision: 3, by: "ben", chosen: ["a"] };
  it.receive({ type: "message_reacted", data: { ...change, reactions: [{ emoji: "a", count: 1 }] } });
  arrive([sent(1, 2).data]);
  await loading;
  assert.deepEqual([it.window.get(1)?.reactions?.length, it.window.get(1)?.revision], [1, 3]);
});

test("a hidden chat is back with its next message, also if the list that hid it was ahead", () => {
  const it = chat();
  const settings = { muted_until: null, archived: false, marked_unread: false };
  it.receive(sent(1, 2));
  it.set({ ...settings, hidden: true });
  assert.equal(it.hidden, true);
  it.receive({ type: "message_edited", data: { ...sent(1, 3).data, text: "y" } });
  assert.equal(it.hidden, true);
  it.receive(sent(2, 4));
  assert.equal(it.hidden, false);
  it.set({ ...settings, hidden: true, hidden_at_id: 3 });
  it.receive(sent(3, 5));
  assert.equal(it.hidden, true);
  it.set(settings);
  assert.equal(it.hidden, false);
});

test("a message that came before the settings that hid the chat shows it", () => {
  const it = new Chat("c", "me", 100);
  it.begin(object(1, [member("me"), member("ben")], 10));
  it.receive(sent(11, 2));
  it.set({ muted_until: null, archived: false, marked_unread: false, hidden: true, hidden_at_id: 10 });
  assert.equal(it.hidden, false);
  it.set({ muted_until: null, archived: false, marked_unread: false, hidden: true, hidden_at_id: 11 });
  assert.equal(it.hidden, true);
});
