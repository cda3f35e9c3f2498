// @ts-check
import { client, redraw, state } from "./store.js";

/** How close to an end, in pixels, the next page is asked for. */
const EARLY = 900;
/** Within this many pixels of the end, the list follows new messages. */
const NEAR_END = 80;

/** @param {HTMLElement} list */
const sizeOf = (list) => `${list.clientWidth}x${list.clientHeight}`;

/**
 * Keeps the list of messages where the reader is, whatever is added or dropped above. The browser's own scroll
 * anchoring does not cover pages that are dropped at one end and added at the other in one step, and Safari has none.
 */
class Scroller {
  /** @type {{chatId: string, element: HTMLElement, key: string | null, top: number, stick: boolean,
   * height: number} | null} */
  #before = null;
  /** @type {HTMLElement | null} */
  #watched = null;
  /** How large the list was when its place was last put right. */
  #size = "";
  #pausedUntil = 0;
  #resize = new ResizeObserver(() => {
    const list = this.element;
    if (!list) return;
    this.#size = sizeOf(list);
    if (state.view?.following && !state.view.target) list.scrollTop = list.scrollHeight;
    this.moved();
  });

  /** @returns {HTMLElement | null} */
  get element() {
    return document.getElementById("messages");
  }

  /** Remembers what is in sight. Call it before drawing. */
  before() {
    const element = this.element;
    const { view } = state;
    this.#before = null;
    if (!element || !view || element.dataset["chat"] !== view.chatId) return;
    const line = element.scrollTop;
    const items = element.querySelectorAll("[data-key]");
    let key = null;
    let top = 0;
    for (const item of items) {
      const { offsetTop, offsetHeight } = /** @type {HTMLElement} */ (item);
      if (offsetTop + offsetHeight <= line) continue;
      key = /** @type {HTMLElement} */ (item).dataset["key"] ?? null;
      top = offsetTop - line;
      break;
    }
    const height = element.scrollHeight;
    this.#before = { chatId: view.chatId, element, key, top, stick: this.#follows(element, view), height };
  }

  /**
   * Whether the reader is at the end of the list, where new messages are followed. It is asked of the list, not of
   * the view: the browser does not tell of scrolling before the next frame.
   * @param {HTMLElement} element @param {import("./store.js").View} view
   */
  #follows(element, view) {
    // A list whose size has changed is put right by the observer, before it is seen. Until then, the distance to the
    // end does not show what the reader wants.
    if (sizeOf(element) !== this.#size) return view.following;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    return below < NEAR_END && (client.chat(view.chatId)?.window.tail ?? false);
  }

  /** Puts what was in sight back to its place, or goes where the view wants to be. Call it after drawing. */
  after() {
    const element = this.element;
    const { view } = state;
    if (!element || !view) return;
    if (element !== this.#watched) this.#watch(element);
    const chat = client.chat(view.chatId);
    if (!chat?.window.loaded) return;
    const { target } = view;
    if (target) {
      view.target = null;
      this.#goTo(element, target);
    } else if (this.#before?.chatId === view.chatId && this.#before.element === element) {
      const { key, top, stick, height } = this.#before;
      // Only if something was added: who has scrolled to almost the end is not pulled there.
      if (stick && chat.window.tail && element.scrollHeight !== height) element.scrollTop = element.scrollHeight;
      else if (key !== null) {
        const item = /** @type {HTMLElement | null} */ (element.querySelector(`[data-key="${CSS.escape(key)}"]`));
        if (item && item.offsetTop - element.scrollTop !== top) element.scrollTop = item.offsetTop - top;
      }
    }
    this.moved();
  }

  /** @param {HTMLElement} element @param {NonNullable<import("./store.js").View["target"]>} target */
  #goTo(element, target) {
    const selector = target.kind === "message" ? `[data-id="${target.id}"]` : "[data-unread]";
    const item = target.kind === "bottom" ? null : /** @type {HTMLElement | null} */ (element.querySelector(selector));
    if (!item) element.scrollTop = element.scrollHeight;
    else {
      const share = target.kind === "message" ? 0.4 : 0.15;
      element.scrollTop = item.offsetTop - element.clientHeight * share;
    }
  }

  /** @param {HTMLElement} element */
  #watch(element) {
    this.#resize.disconnect();
    this.#resize.observe(element);
    this.#watched = element;
    this.#size = sizeOf(element);
  }

  /** The list was scrolled, or drawn anew. */
  moved() {
    const element = this.element;
    const { view } = state;
    const chat = view && client.chat(view.chatId);
    if (!element || !view || !chat?.window.loaded || view.target) return;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    const following = this.#follows(element, view);
    if (following !== view.following) {
      view.following = following;
      redraw();
    }
    if (Date.now() < this.#pausedUntil) return;
    // A failed page is not asked for again at once: each failure draws the list, which would ask again.
    const pause = () => {
      this.#pausedUntil = Date.now() + 3_000;
      setTimeout(() => this.moved(), 3_100);
    };
    if (element.scrollTop < EARLY && chat.window.first > 1) client.older(chat).catch(pause);
    else if (below < EARLY && !chat.window.tail) client.newer(chat).catch(pause);
  }

  /** The number of the last message that is in sight; 0 if there is none. */
  lastSeen() {
    const element = this.element;
    if (!element || state.view?.target) return 0;
    const line = element.scrollTop + element.clientHeight;
    let seen = 0;
    for (const item of element.querySelectorAll("[data-id]")) {
      const { offsetTop, offsetHeight, dataset } = /** @type {HTMLElement} */ (item);
      if (offsetTop + Math.min(offsetHeight, 40) > line) break;
      seen = Number(dataset["id"]);
    }
    return seen;
  }
}

export const scroller = new Scroller();
