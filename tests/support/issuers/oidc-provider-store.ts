import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** What the provider knows, in memory, by kind (`Session`, `RefreshToken`, …) and id. */
export interface ProviderStore {
  adapter: AdapterFactory
  /** Sessions, codes and refresh tokens are gone: no one is signed in, and no one can renew. */
  forgetSignIns(): void
}

/**
 * @param findClient metadata of the client with that id (OpenID Connect Dynamic Client Registration 1.0, section
 *   2): asked each time, so that clients may become known after the provider has started.
 */
export function createProviderStore(findClient: (id: string) => AdapterPayload | undefined): ProviderStore {
  const kinds = new Map<string, Map<string, AdapterPayload>>()
  const kindOf = (name: string) => {
    const kind = kinds.get(name) ?? new Map<string, AdapterPayload>()
    kinds.set(name, kind)
    return kind
  }
  const adapter = (name: string): Adapter => {
    const entries = kindOf(name)
    const findBy = async (member: 'uid' | 'userCode', value: string) =>
      [...entries.values()].find((payload) => payload[member] === value)
    return {
      // Each payload carries its own expiry, which the provider checks.
      upsert: async (id, payload) => void entries.set(id, payload),
      find: async (id) => (name === 'Client' ? findClient(id) : entries.get(id)),
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      consume: async (id) => {
        const payload = entries.get(id)
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => void entries.delete(id),
      revokeByGrantId: async (grantId) => forget(entries, (payload) => payload.grantId === grantId),
    }
  }
  return { adapter, forgetSignIns: () => kinds.forEach((entries) => void entries.clear()) }
}

function forget(entries: Map<string, AdapterPayload>, isGone: (payload: AdapterPayload) => boolean): void {
  for (const [id, payload] of entries) if (isGone(payload)) entries.delete(id)
}
