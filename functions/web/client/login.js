// @ts-check
import { Connection } from "./connection.js";
import { Drafts } from "./drafts.js";
import { Files } from "./files.js";
import { History } from "./history.js";
import { Outbox } from "./outbox.js";
import { Own } from "./own.js";
import { People } from "./people.js";
import { Presence } from "./presence.js";
import { Reads } from "./reads.js";
import { Replicas } from "./replicas.js";

/** @import {Account, Frame} from "./types.js" */
/** @import {Client} from "./client.js" */

/** Everything that belongs to one login. */
export class Login {
  /**
   * @param {Client} client
   * @param {Account} account
   */
  constructor(client, account) {
    const { env, session } = client;
    const changed = (/** @type {string} */ id) => client.emit("chat", id);
    this.own = new Own(session, client.calls, account, () => {
      this.people.learn([this.own.account]);
      changed("");
    });
    this.replicas = new Replicas(env, session, account.id, client.windowLimit);
    this.connection = new Connection(env, client.socketUrl, session, () => this.replicas.pingData());
    this.people = new People(env, session, () => changed(""));
    this.people.learn([account]);
    this.reads = new Reads(env, session, this.connection);
    this.files = new Files(env, session);
    this.drafts = new Drafts(env.storage, account.id);
    this.history = new History(session, changed);
    this.presence = new Presence({ env, session, connection: this.connection, changed });
    this.outbox = new Outbox({
      env,
      session,
      connection: this.connection,
      me: account.id,
      stored: (message) => {
        this.replicas.change({ type: "new_message", data: message });
        this.outbox.settled(message.chat_id, this.replicas.chats.get(message.chat_id)?.revision ?? Infinity);
      },
      changed,
    });
    this.#wire(client);
  }

  /** @param {Client} client */
  #wire(client) {
    const { connection, replicas, presence, outbox } = this;
    replicas.on("changed", (id) => {
      const chat = replicas.chats.get(id);
      if (chat?.members) this.people.learn(chat.members.values());
      if (chat?.peer) this.people.learn([chat.peer]);
      outbox.settled(id, chat?.revision ?? Infinity);
      client.emit("chat", id);
    });
    replicas.on("replaced", (id) => {
      outbox.settled(id, Infinity);
      this.reads.forget(id);
    });
    replicas.on("message", (message) => client.emit("message", message));
    replicas.on("removed", (event) => client.emit("removed", event));
    connection.on("state", (state) => {
      if (state !== "online") presence.disconnected();
      client.emit("connection", state);
    });
    connection.on("frame", (frame) => this.#frame(frame));
    connection.on("closing", (reason) => void client.session.end(reason));
    // Some networks let no socket through. Then chats are as fresh as the attempts to connect are frequent.
    connection.on("reachable", () => void replicas.list());
    connection.on("open", () => void this.#opened());
  }

  async #opened() {
    // First connected, then caught up: what is committed from now on is pushed.
    await this.replicas.list();
    this.outbox.wake();
    this.presence.connected();
    await this.own.read();
  }

  /** @param {Frame} frame */
  #frame(frame) {
    if (frame.type === "new_message" && frame.data.sender_id === this.own.account.id) this.outbox.seen(frame.data);
    this.replicas.frame(frame);
    this.presence.frame(frame);
    if (frame.type === "chat_created" || frame.type === "member_added") void this.presence.ask();
  }

  stop() {
    this.connection.stop();
    this.replicas.stop();
    this.outbox.stop();
    this.files.stop();
    this.reads.stop();
    this.presence.stop();
    this.people.stop();
  }
}
