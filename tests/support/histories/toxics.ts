import type { Toxic } from '../../../compose/servers/toxiproxy.ts'

/** What can happen to connections to the store, each strong enough to be felt within a second or two. */
export const toxics: Record<string, Pick<Toxic, 'type' | 'attributes'>> = {
  latency: { type: 'latency', attributes: { latency: 300, jitter: 300 } },
  timeout: { type: 'timeout', attributes: { timeout: 500 } },
  silence: { type: 'timeout', attributes: { timeout: 0 } },
  reset: { type: 'reset_peer', attributes: { timeout: 5 } },
  slicer: { type: 'slicer', attributes: { average_size: 1000, size_variation: 500, delay: 500 } },
  bandwidth: { type: 'bandwidth', attributes: { rate: 600 } },
  limit: { type: 'limit_data', attributes: { bytes: 3000 } },
  'slow close': { type: 'slow_close', attributes: { delay: 500 } },
}

export const streams: readonly Toxic['stream'][] = ['upstream', 'downstream']
