// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Window } from "../index.js";

/** @param {number} id @param {number} [revision] @returns {any} */
const message = (id, revision = id + 1) => ({ chat_id: "c", id, revision, text: `text ${revision}` });
/** @param {number} from @param {number} to */
const page = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
/** @param {Window} window */
const ids = (window) => window.messages.map(({ id }) => id);

test("a window that reaches to the end takes new messages, in order", () => {
  const window = new Window(10);
  window.replace(page(1, 2), true);
  assert.equal(window.store(message(4)), false);
  assert.equal(window.store(message(3)), true);
  assert.deepEqual(ids(window), [1, 2, 3, 4]);
});

test("a window further up ignores new messages", () => {
  const window = new Window(10);
  window.replace(page(1, 2), false);
  assert.equal(window.store(message(3)), false);
  assert.deepEqual(ids(window), [1, 2]);
});

test("an older state of a message does not replace a newer one", () => {
  const window = new Window(10);
  window.replace(page(1, 2), true);
  window.store(message(1, 9));
  window.store(message(1, 5));
  assert.equal(window.get(1)?.revision, 9);
});

test("an edit that overtakes the page it is on is kept", async () => {
  const window = new Window(10);
  await window.loading(
    async () => {
      window.store(message(1, 9));
      window.store(message(3, 10));
      return page(1, 2);
    },
    (messages) => window.replace(messages, true),
  );
  assert.equal(window.get(1)?.revision, 9);
  assert.deepEqual(ids(window), [1, 2, 3]);
});

test("a longer window loses its other end", () => {
  const window = new Window(10);
  window.replace(page(21, 30), true);
  assert.equal(window.prepend(page(16, 20)), true);
  assert.deepEqual([window.first, window.last, window.tail], [16, 25, false]);
  assert.equal(window.append(page(26, 30), true), true);
  assert.deepEqual([window.first, window.last, window.tail], [16, 30, true]);
});

test("a page that does not fit is refused", () => {
  const window = new Window(10);
  window.replace(page(21, 30), false);
  assert.equal(window.prepend(page(10, 15)), false);
  assert.equal(window.append(page(40, 45), true), false);
  assert.deepEqual([window.first, window.last, window.tail], [21, 30, false]);
});
