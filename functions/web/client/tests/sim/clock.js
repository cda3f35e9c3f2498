// @ts-check

/** Time that passes only when the test says so. */
export class VirtualClock {
  #now = Date.parse("2026-11-20T08:00:00.000Z");
  #serial = 0;
  /** @type {Array<{at: number, serial: number, f: () => void}>} a heap, the next timer first */
  #heap = [];
  /** @type {Set<number>} */
  #cancelled = new Set();

  now = () => this.#now;

  /** @param {() => void} f @param {number} ms */
  setTimeout = (f, ms) => {
    const timer = { at: this.#now + Math.max(0, ms), serial: ++this.#serial, f };
    this.#heap.push(timer);
    for (let i = this.#heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!before(at(this.#heap, i), at(this.#heap, parent))) break;
      swap(this.#heap, i, parent);
      i = parent;
    }
    return timer.serial;
  };

  /** @param {number | null} serial */
  clearTimeout = (serial) => {
    if (serial !== null && serial !== undefined) this.#cancelled.add(serial);
  };

  /** Lets `ms` pass. @param {number} ms */
  async pass(ms) {
    const end = this.#now + ms;
    for (;;) {
      // Everything that promises set off comes before the next timer.
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#heap[0];
      if (!next || next.at > end) break;
      this.#pop();
      if (this.#cancelled.delete(next.serial)) continue;
      this.#now = next.at;
      next.f();
    }
    this.#now = end;
  }

  #pop() {
    const last = /** @type {any} */ (this.#heap.pop());
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let i = 0; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < this.#heap.length && before(at(this.#heap, left), at(this.#heap, least))) least = left;
      if (right < this.#heap.length && before(at(this.#heap, right), at(this.#heap, least))) least = right;
      if (least === i) return;
      swap(this.#heap, i, least);
      i = least;
    }
  }
}

/** @param {any[]} heap @param {number} i */
const at = (heap, i) => heap[i];
/** @param {{at: number, serial: number}} a @param {{at: number, serial: number}} b */
const before = (a, b) => a.at < b.at || (a.at === b.at && a.serial < b.serial);
/** @param {any[]} heap @param {number} i @param {number} j */
const swap = (heap, i, j) => ([heap[i], heap[j]] = [heap[j], heap[i]]);

/** A small generator of pseudo-random numbers (mulberry32). @param {number} seed @returns {() => number} */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
