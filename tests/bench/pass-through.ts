/**
 * A server that passes the answer of PASS_URL on and does nothing else: what Bun can do at best in this place, on
 * this machine. It listens on PORT of the loopback interface.
 */
const url = process.env.PASS_URL ?? ''
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  fetch: async () => new Response((await fetch(url)).body),
})
