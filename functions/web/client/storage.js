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

const STORE = "values";

/**
 * IndexedDB. Falls back to memory where the browser refuses it, as some do in private windows.
 * @param {string} [name]
 * @returns {Storage}
 */
export function openStorage(name = "windi") {
  const memory = new MemoryStorage();
  /** @type {Promise<IDBDatabase | null>} */
  const opened = new Promise((resolve) => {
    try {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} work
   * @param {() => Promise<T>} otherwise
   * @returns {Promise<T>}
   */
  async function run(mode, work, otherwise) {
    const database = await opened;
    if (!database) return otherwise();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      // A write counts once its transaction is complete, not when its request is.
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  /** @param {string} prefix */
  const range = (prefix) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  return {
    get: (key) =>
      run(
        "readonly",
        (store) => store.get(key),
        () => memory.get(key),
      ),
    set: async (key, value) => {
      await run(
        "readwrite",
        (store) => store.put(value, key),
        async () => (await memory.set(key, value), key),
      );
    },
    delete: async (key) => {
      await run(
        "readwrite",
        (store) => store.delete(key),
        async () => (await memory.delete(key), undefined),
      );
    },
    entries: async (prefix) => {
      if (!(await opened)) return memory.entries(prefix);
      const keys = await run(
        "readonly",
        (store) => store.getAllKeys(range(prefix)),
        async () => [],
      );
      const found = await Promise.all(
        keys.map(
          async (key) =>
            /** @type {[string, any]} */ ([
              String(key),
              await run(
                "readonly",
                (store) => store.get(key),
                async () => undefined,
              ),
            ]),
        ),
      );
      return found.filter(([, value]) => value !== undefined);
    },
  };
}
