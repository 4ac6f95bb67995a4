import { isPassing } from '../../client/retry.ts'

const retriesMax = 2

/** How everything is read that the page shows. */
export const queryOptions = {
  // What the service said no to, it says no to again.
  retry: (failures: number, error: unknown) => failures < retriesMax && isPassing(error),
  staleTime: 15_000,
  // A browser may think itself offline while the service is on this very machine.
  networkMode: 'always',
  refetchOnReconnect: true,
} as const
