// For `node --import`: what an official client asks of neon.new goes to a local one.
// NEON_NEW_ORIGIN says where that is; FETCHED, if set, is a file that gets a line a request.
import { appendFileSync } from "node:fs";

const origin = process.env.NEON_NEW_ORIGIN;
const fetched = process.env.FETCHED;
const real = globalThis.fetch;

// The service itself, and the query endpoint that the driver makes of a database's host name:
// of 127.0.0.1 it makes api.0.0.1, which is no URL at all.
const ours = /^https:\/\/(?:neon\.new|api\.[^/]+(?=\/sql$))/;

globalThis.fetch = (input, init) => {
  const asked = typeof input === "string" ? input : (input.url ?? String(input));
  if (!ours.test(asked)) {
    throw new Error(`A test asked for ${asked}, which is not there.`);
  }
  if (fetched) {
    appendFileSync(fetched, `${init?.method ?? "GET"} ${asked}\n`);
  }
  return real(asked.replace(ours, origin), init);
};
