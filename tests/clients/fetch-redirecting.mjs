// For `node --import`: what an official client asks of neon.new goes to a local one.
// NEON_NEW_ORIGIN says where that is; FETCHED, if set, is a file that gets a line a request.
import { appendFileSync } from "node:fs";

const origin = process.env.NEON_NEW_ORIGIN;
const fetched = process.env.FETCHED;
const real = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const asked = new URL(typeof input === "string" ? input : (input.url ?? input));
  // The service itself, and the query endpoint that a driver makes of a database's host name.
  const ours = asked.host === "neon.new" || asked.pathname === "/sql";
  if (!ours) {
    throw new Error(`A test asked for ${asked.host}, which is not there.`);
  }
  if (fetched) {
    appendFileSync(fetched, `${init?.method ?? "GET"} ${asked}\n`);
  }
  return real(new URL(asked.pathname + asked.search, origin), init);
};
