// @ts-check

/**
 * Where the session, drafts and unsent messages are kept. All tabs of one browser share it.
 * @typedef {object} Storage
 * @property {(key: string) => Promise<any>} get undefined if there is no such key
 * @property {(key: string, value: any) => Promise<void>} set `value` is anything that can be cloned
 * @property {(key: string) => Promise<void>} delete
 * @property {(prefix: string) => Promise<Array<[string, any]>>} entries all whose key begins with `prefix`, in the
 *   order of keys
 */

/** @implements {Storage} */
export class MemoryStorage {
  /** @type {Map<string, any>} */
  #values = new Map();

  /** @param {string} key */
  async get(key) {
    return structuredClone(this.#values.get(key));
  }

  /** @param {string} key @param {any} value */
  async set(key, value) {
    this.#values.set(key, structuredClone(value));
  }

  /** @param {string} key */
  async delete(key) {
    this.#values.delete(key);
  }

  /** @param {string} prefix @returns {Promise<Array<[string, any]>>} */
  async entries(prefix) {
    const found = [...this.#values].filter(([key]) => key.startsWith(prefix));
    return structuredClone(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** One holder at a time, within this process. Stands in for Web Locks where a page does not have them. */
export class MemoryLocks {
  /** @type {Map<string, Promise<unknown>>} */
  #tails = new Map();

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  request(name, work) {
    const turn = (this.#tails.get(name) ?? Promise.resolve()).then(work, work);
    this.#tails.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }
}

/**
 * Deletes all keys with a prefix, and those known to the caller, who may be unable to read the others.
 * @param {Storage} storage @param {string} prefix @param {Iterable<string>} known
 */
export async function eraseAll(storage, prefix, known) {
  const keys = new Set(known);
  try {
    for (const [key] of await storage.entries(prefix)) keys.add(key);
  } catch {
    // The keys that are known still have to go.
  }
  await Promise.allSettled([...keys].map((key) => storage.delete(key)));
}

const STORE = "values";
/** Some browsers never answer a request to open a database. */
const OPEN_MS = 3_000;

/**
 * @param {string} name @param {IDBFactory} factory @param {() => void} lost
 * @returns {Promise<IDBDatabase | null>} null if it cannot be opened
 */
function openDatabase(name, factory, lost) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), OPEN_MS);
    const settle = (/** @type {IDBDatabase | null} */ database) => {
      clearTimeout(timer);
      resolve(database);
    };
    try {
      const request = factory.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => {
        request.result.onclose = lost;
        settle(request.result);
      };
      request.onerror = () => settle(null);
    } catch {
      settle(null);
    }
  });
}

/**
 * IndexedDB. Falls back to memory where the browser refuses it, as some do in private windows. A browser may also take
 * an open database away: it is opened again once, and memory has what this page has read and written so far.
 * @param {string} [name]
 * @param {IDBFactory} [factory]
 * @returns {Storage}
 */
export function openStorage(name = "windi", factory = indexedDB) {
  const memory = new MemoryStorage();
  let reopened = false;
  /** @type {Promise<IDBDatabase | null>} */
  let opened;
  const open = () => {
    const mine = openDatabase(name, factory, () => reopen(mine));
    opened = mine;
  };
  const reopen = (/** @type {Promise<IDBDatabase | null>} */ old) => {
    if (old !== opened) return;
    if (reopened) opened = Promise.resolve(null);
    else open();
    reopened = true;
  };
  open();

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} work
   * @param {() => Promise<T>} otherwise
   * @returns {Promise<T>}
   */
  async function run(mode, work, otherwise) {
    for (;;) {
      const used = opened;
      const database = await used;
      if (!database) return otherwise();
      try {
        return await new Promise((resolve, reject) => {
          const transaction = database.transaction(STORE, mode);
          const request = work(transaction.objectStore(STORE));
          // A write counts once its transaction is complete, not when its request is.
          transaction.oncomplete = () => resolve(request.result);
          transaction.onerror = transaction.onabort = () => reject(transaction.error);
        });
      } catch (error) {
        if (/** @type {any} */ (error)?.name !== "InvalidStateError") throw error;
        reopen(used);
      }
    }
  }

  /** @param {string} key */
  async function get(key) {
    const value = await run(
      "readonly",
      (store) => store.get(key),
      () => memory.get(key),
    );
    await (value === undefined ? memory.delete(key) : memory.set(key, value));
    return value;
  }

  return {
    get,
    set: async (key, value) => {
      await run(
        "readwrite",
        (store) => store.put(value, key),
        async () => key,
      );
      await memory.set(key, value);
    },
    delete: async (key) => {
      await memory.delete(key);
      await run(
        "readwrite",
        (store) => store.delete(key),
        async () => undefined,
      );
    },
    entries: async (prefix) => {
      const keys = await run(
        "readonly",
        (store) => store.getAllKeys(IDBKeyRange.bound(prefix, `${prefix}\uffff`)),
        async () => (await memory.entries(prefix)).map(([key]) => key),
      );
      const found = await Promise.all(
        keys.map(async (key) => /** @type {[string, any]} */ ([String(key), await get(String(key))])),
      );
      return found.filter(([, value]) => value !== undefined);
    },
  };
}
