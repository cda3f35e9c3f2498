// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { browserLocks, openStorage } from "../index.js";

/** As much of IndexedDB as the storage needs: one object store, and what may go wrong. */
class Factory {
  /** @type {Map<string, any>} */
  values = new Map();
  opens = 0;
  /** @type {'works' | 'silent' | 'fails'} */
  mode = "works";
  /** @type {any} */
  database = null;

  open() {
    this.opens++;
    /** @type {any} */
    const request = {};
    if (this.mode === "fails") queueMicrotask(() => request.onerror());
    if (this.mode === "works") {
      request.result = this.database = this.#make();
      queueMicrotask(() => request.onsuccess());
    }
    return request;
  }

  #make() {
    const { values } = this;
    return {
      closed: false,
      onclose: () => {},
      transaction() {
        if (this.closed) throw new DOMException("closed", "InvalidStateError");
        /** @type {any} */
        const transaction = {
          objectStore: () => ({
            get: (/** @type {string} */ key) => ({ result: values.get(key) }),
            put: (/** @type {any} */ value, /** @type {string} */ key) => ({ result: void values.set(key, value) }),
            delete: (/** @type {string} */ key) => ({ result: void values.delete(key) }),
          }),
        };
        queueMicrotask(() => transaction.oncomplete());
        return transaction;
      },
    };
  }
}

/** @param {Factory} factory */
const open = (factory) => openStorage("test", /** @type {any} */ (factory));

test("a database that was taken away is opened again", async () => {
  const factory = new Factory();
  const storage = open(factory);
  await storage.set("a", 1);
  factory.database.closed = true;
  await storage.set("b", 2);
  assert.deepEqual([await storage.get("a"), await storage.get("b"), factory.opens], [1, 2, 2]);
  assert.deepEqual([...factory.values], [
    ["a", 1],
    ["b", 2],
  ]);
});

test("a close event has the database opened again before it is used", async () => {
  const factory = new Factory();
  const storage = open(factory);
  await storage.set("a", 1);
  factory.database.closed = true;
  factory.database.onclose();
  assert.equal(factory.opens, 2);
  assert.equal(await storage.get("a"), 1);
});

test("if it is taken away again, memory goes on with what was read and written", async () => {
  const factory = new Factory();
  factory.values.set("earlier", 0);
  const storage = open(factory);
  await storage.get("earlier");
  await storage.set("a", 1);
  await storage.set("gone", 1);
  await storage.delete("gone");
  for (let i = 0; i < 2; i++) {
    factory.database.closed = true;
    await storage.set("b", i);
  }
  assert.deepEqual(
    [await storage.get("earlier"), await storage.get("a"), await storage.get("b"), await storage.get("gone")],
    [0, 1, 1, undefined],
  );
  assert.equal(factory.opens, 2);
});

test("a database that cannot be opened is replaced by memory", async () => {
  const factory = new Factory();
  factory.mode = "fails";
  const storage = open(factory);
  await storage.set("a", 1);
  assert.deepEqual(await storage.entries(""), [["a", 1]]);
});

test("a database that never opens is waited for no longer than a few seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const factory = new Factory();
  factory.mode = "silent";
  const storage = open(factory);
  const written = storage.set("a", 1);
  t.mock.timers.tick(3_000);
  await written;
  assert.equal(await storage.get("a"), 1);
});

test("locks that the browser refuses are replaced by those of the page, all other errors are passed on", async () => {
  const refusing = browserLocks({
    request: async () => {
      throw new DOMException("no storage", "SecurityError");
    },
  });
  assert.equal(await refusing.request("x", async () => 7), 7);
  const locks = browserLocks({
    request: async (/** @type {string} */ _, /** @type {() => Promise<any>} */ work) => work(),
  });
  let runs = 0;
  const failing = locks.request("x", async () => {
    runs++;
    throw new DOMException("of the work", "SecurityError");
  });
  await assert.rejects(failing, /of the work/);
  assert.equal(runs, 1);
  const broken = browserLocks({
    request: async () => {
      throw new DOMException("x", "AbortError");
    },
  });
  await assert.rejects(
    broken.request("x", async () => 7),
    { name: "AbortError" },
  );
});
