// For `node --import`: NEON_NAME and every name below it lead to NEON_ADDRESS, as a DNS server's
// entry would have it. Only Node's own look-up of names is changed, below every client.
import dns from "node:dns";

const { NEON_NAME, NEON_ADDRESS } = process.env;
const lookup = dns.lookup;

dns.lookup = (name, ...rest) =>
  lookup(`.${name}`.endsWith(`.${NEON_NAME}`) ? NEON_ADDRESS : name, ...rest);
