interface Runtimes {
  Bun?: unknown
  Deno?: unknown
  process?: { versions?: { node?: string } }
}

/** Bun, Node and Deno stream request bodies over HTTP/1.1; browsers do not. */
export function streamsRequests(): boolean {
  const { Bun, Deno, process } = globalThis as unknown as Runtimes
  return Boolean(Bun ?? Deno ?? process?.versions?.node)
}
