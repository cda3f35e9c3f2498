// @ts-check

/** @typedef {{user: any, session: any, joined: Set<string>, push: (frame: any) => void, close: () => void}} Device */

export class Refusal extends Error {
  /** @param {number} status @param {string} code */
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** People, sessions and sockets of the simulated messenger. */
export class Accounts {
  /** @type {Map<string, any>} */ users = new Map();
  /** @type {Map<string, any>} */ sessions = new Map();
  /** @type {Map<string, any>} */ refreshTokens = new Map();
  /** @type {Set<Device>} */ devices = new Set();
  /** Refresh tokens that came back after their grace, and ended their session. @type {string[]} */ copies = [];
  #serial = 0;

  /** @param {import("./clock.js").VirtualClock} clock */
  constructor(clock) {
    this.clock = clock;
  }

  time() {
    return new Date(this.clock.now()).toISOString();
  }

  /** @param {string} kind */
  id(kind) {
    return `${kind}-${String(++this.#serial).padStart(5, "0")}`;
  }

  /** @param {string} username */
  addUser(username) {
    const user = {
      id: this.id("u"),
      name: username,
      username,
      email: `${username}@example.com`,
      created_at: this.time(),
    };
    this.users.set(user.id, user);
    return user;
  }

  /** @param {string} id */
  person(id) {
    const { name, username, avatar_id } = this.users.get(id);
    return { id, name, username, ...(avatar_id ? { avatar_id } : {}) };
  }

  /** @param {any} session */
  issue(session) {
    const refresh = this.id("refresh");
    this.refreshTokens.set(refresh, { session, usedAt: null, successor: null, at: this.clock.now() });
    return { ...this.access(session), refresh_token: refresh };
  }

  /** @param {any} session */
  access(session) {
    const token = `${session.id}.${this.clock.now() + 900_000}.${this.id("a")}`;
    return { access_token: token, token_type: "bearer", expires_in: 900 };
  }

  /** @param {string | undefined} token */
  authorize(token) {
    const [id, expiry] = String(token).split(".");
    const session = this.sessions.get(id ?? "");
    if (!session || Number(expiry) <= this.clock.now()) throw new Refusal(401, "unauthorized");
    return session;
  }

  /** @param {any} session @param {string} code */
  endSession(session, code) {
    this.sessions.delete(session.id);
    for (const device of [...this.devices].filter((other) => other.session === session)) {
      device.push({ type: "error", data: { code, message: code, request_id: "x" } });
      device.close();
    }
  }

  /** @param {string} refresh */
  refresh(refresh) {
    const row = this.refreshTokens.get(refresh);
    if (!row || !this.sessions.has(row.session.id)) throw new Refusal(401, "unauthorized");
    if (row.usedAt === null) {
      const tokens = this.issue(row.session);
      row.usedAt = this.clock.now();
      row.successor = tokens.refresh_token;
      return tokens;
    }
    const successor = this.refreshTokens.get(row.successor);
    if (this.clock.now() - row.usedAt > 10_000 || successor.usedAt !== null) {
      this.copies.push(refresh);
      this.endSession(row.session, "session_ended");
      throw new Refusal(401, "unauthorized");
    }
    return { ...this.access(row.session), refresh_token: row.successor };
  }
}
