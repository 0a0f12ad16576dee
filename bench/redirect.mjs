// The official client has its host built in: send its requests to NEON_NEW_URL instead.
const { fetch } = globalThis;
const target = process.env.NEON_NEW_URL;

globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (target === undefined) return Promise.reject(new Error(`no request is expected: ${url}`));
  const moved = new URL(url.pathname + url.search, target);
  return fetch(input instanceof Request ? new Request(moved, input) : moved, init);
};
