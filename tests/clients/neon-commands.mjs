// Runs many commands of the official command `neon` in one process, which saves half a second for each.
//
//   node neon-commands.mjs 5 6
//
// A line of JSON from the first of these pipes is a command's arguments; the answer, to the other one, is a line of
// JSON: its exit status and what it wrote. Its entry module is loaded anew for each. A command has ended where it asks the process to
// exit, or where nothing keeps the process alive: that is when Node emits `beforeExit`, in which the next
// line is read. The first answer is all commands: ["auth", "branches list", ...], in the order of their help.
import { read, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const dist = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "node_modules/neon/dist");
const [questions, answers] = process.argv.slice(2).map(Number);
const load = (file, query = "") => import(pathToFileURL(path.join(dist, file)).href + query);

class Exit extends Error {}
let running = 0;
let status;
let written;
const begun = () => {
  status = undefined;
  written = { stdout: "", stderr: "" };
};
for (const name of ["stdout", "stderr"]) {
  process[name].write = (chunk, encoding, done) => {
    if (status === undefined) written[name] += chunk.toString();
    const called = typeof encoding === "function" ? encoding : done;
    if (called) setImmediate(called);
    return true;
  };
}
process.exit = (code) => {
  status ??= code ?? process.exitCode ?? 0;
  throw new Exit();
};
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Exit)) {
    written.stderr += String(error?.stack ?? error);
    status ??= 1;
  }
});
process.on("uncaughtException", (error) => {
  if (!(error instanceof Exit)) {
    written.stderr += String(error?.stack ?? error);
    status ??= 1;
  }
});

// Read by callbacks, so that connections which the server closes meanwhile are noticed before the next command.
const line = (done, text = "") =>
  read(questions, Buffer.alloc(65536), (error, count, buffer) => {
    const known = text + buffer.toString("utf8", 0, count);
    if (error || !count || known.endsWith("\n")) done(known);
    else line(done, known);
  });
const answer = (value) => writeSync(answers, JSON.stringify(value) + "\n");

const next = () =>
  line((text) => {
    if (!text) process.reallyExit(0);
    begun();
    process.exitCode = undefined;
    process.argv.splice(1, Infinity, path.join(dist, "cli.js"), ...JSON.parse(text));
    running += 1;
    load("index.js", `?${running}`);
  });
process.on("beforeExit", () => {
  answer({ status: status ?? process.exitCode ?? 0, ...written });
  next();
});

// The help's commands, from the functions that declare them.
const commands = [];
const declare = (above, spec, describe, builder) => {
  if (spec?.command) ({ command: spec, describe, builder } = spec);
  if (describe === false) return;
  const here = [...above, [spec].flat()[0].split(" ")[0]];
  let groups = false;
  const recorder = new Proxy(() => recorder, {
    get: (_, name) => (name === "command" ? (...given) => ((groups = true), declare(here, ...given), recorder) : () => recorder),
  });
  if (typeof builder === "function") builder(recorder);
  if (!groups) commands.push(here.join(" "));
};
begun();
for (const command of (await load("commands/index.js")).default) declare([], command);
answer(commands);
next();
