// @ts-check
import { Accounts, Refusal } from "./accounts.js";

/** Files, and the store that keeps their bytes. */

const LIFE_MS = 5 * 60_000;

export class Files extends Accounts {
  /** @type {Map<string, any>} */ files = new Map();
  /** What the store has, by address. @type {Map<string, number>} */ stored = new Map();

  /** @param {any} user @param {any} about */
  announce(user, about) {
    const { name, content_type, size, width, height, preview } = about;
    if (!name || size < 1 || size > 26_214_400) throw new Refusal(422, "invalid_field");
    const picture = width ? { width, height, ...(preview ? { preview } : {}) } : {};
    const file = { id: this.id("f"), name, content_type, size, ...picture };
    this.files.set(file.id, { file, owner: user.id, done: false });
    const expires_at = new Date(this.clock.now() + LIFE_MS).toISOString();
    const headers = { "content-type": content_type, "content-length": String(size) };
    return { file, upload: { method: "PUT", url: `/files/${file.id}/data`, headers, expires_at } };
  }

  /** The store's answer. @param {URL} url @param {Blob} body @returns {number} the status */
  store(url, body) {
    const row = this.files.get(url.pathname.split("/")[2] ?? "");
    if (!row || row.file.size !== body.size) return 403;
    this.stored.set(row.file.id, body.size);
    return 200;
  }

  /** @param {any} user @param {string} id */
  finish(user, id) {
    const row = this.files.get(id);
    if (row?.owner !== user.id) throw new Refusal(404, "file_not_found");
    if (!this.stored.has(id)) throw new Refusal(409, "not_uploaded");
    row.done = true;
    return row.file;
  }

  /** @param {any} user @param {string[]} ids of a message's files */
  attached(user, ids) {
    return ids.map((id) => {
      const row = this.files.get(id);
      if (row?.owner !== user.id || !row.done) throw new Refusal(404, "file_not_found");
      return row.file;
    });
  }

  /** Of these, those that are there. Everybody may see everything. @param {string[]} ids */
  links(ids) {
    const expires_at = new Date(this.clock.now() + LIFE_MS).toISOString();
    const found = ids.filter((id) => this.files.get(id)?.done);
    return { links: found.map((id) => ({ id, url: `/files/${id}/data?at=${this.clock.now()}`, expires_at })) };
  }
}
