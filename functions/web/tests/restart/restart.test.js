// @ts-check
// Starts the messenger itself, to kill it: WINDI_BINARY=target/release/windi-local npm run test:restart
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { account, call, enter, openChat, send, texts, until, write } from "../helpers.js";

const binary = process.env["WINDI_BINARY"];
if (!binary) throw new Error("WINDI_BINARY is the path of the messenger");

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const data = await mkdtemp(join(tmpdir(), "windi-restart-"));
const port = await freePort();
const at = `http://localhost:${port}`;
/** @type {import("node:child_process").ChildProcess | null} */
let messenger = null;

after(async () => {
  await stop("SIGTERM");
  await rm(data, { recursive: true, force: true });
});

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {string[]} [options] */
async function start(options = []) {
  const command = ["--port", String(port), "--data-dir", data, ...options];
  // The tests write faster than people may.
  const env = { ...process.env, RATE_LIMITS: "off" };
  messenger = spawn(String(binary), command, { cwd: repository, stdio: "ignore", env });
  await until(async () => (await fetch(`${at}/health`).catch(() => null))?.ok ?? false, "the messenger is healthy");
}

/** @param {NodeJS.Signals} signal */
async function stop(signal) {
  const running = messenger;
  if (!running || running.exitCode !== null || running.signalCode !== null) return;
  const ended = new Promise((resolve) => running.once("exit", resolve));
  running.kill(signal);
  await ended;
}

test("after the gateway was killed, every message is there once, on both sides", { timeout: 180_000 }, async () => {
  await start();
  const [ann, ben] = [await account("Ann", at), await account("Ben", at)];
  const body = { kind: "group", name: "Phoenix", member_ids: [ben.id] };
  await call("POST", "/chats", ann.token, body, at);
  const [one, two] = [await enter(ann, { at }), await enter(ben, { at })];
  for (const page of [one, two]) await openChat(page, "Phoenix");
  await write(one, "before");
  await two.locator(".message", { hasText: "before" }).waitFor();
  await stop("SIGKILL");
  for (const page of [one, two]) await page.locator(".bar").waitFor();
  await write(one, "meanwhile 1");
  await write(one, "meanwhile 2");
  await start();
  const wanted = "before,meanwhile 1,meanwhile 2";
  for (const page of [one, two]) await until(async () => (await texts(page)).join() === wanted, wanted, 60_000);
  for (const page of [one, two]) await until(async () => (await page.locator(".bar").count()) === 0, "connected again");
});

test("pushes that are late or lost leave no hole", { timeout: 180_000 }, async () => {
  await stop("SIGTERM");
  await start(["--faults", "{}"]);
  const [ann, ben] = [await account("Ann", at), await account("Ben", at)];
  const body = { kind: "group", name: "Storm", member_ids: [ben.id] };
  const { id } = await call("POST", "/chats", ann.token, body, at);
  const page = await enter(ben, { at });
  await openChat(page, "Storm");
  await page.locator("#composer").waitFor();
  await call("PUT", "/@faults", null, { seed: 7, delay_frames_ms: 1_500, fail_429: 0.3 }, at);
  const wanted = Array.from({ length: 40 }, (_, i) => `wave ${i + 1}`);
  for (const text of wanted) await send(ann.token, id, text, at);
  await call("PUT", "/@faults", null, {}, at);
  await send(ann.token, id, "calm", at);
  await until(async () => (await texts(page)).join() === [...wanted, "calm"].join(), "all is shown, in order");
  assert.deepEqual(page.errors, []);
});
