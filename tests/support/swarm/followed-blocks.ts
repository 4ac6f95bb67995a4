/**
 * Blocks of `docs/deployment.md` that another file than `swarm.test.ts` follows. That one has to follow all the
 * others, and each of these files the ones that stand here for it, so that none is left out.
 */
export const followedElsewhere = {
  'second-store.test.ts': ['use-store'],
} as const satisfies Record<string, readonly string[]>
