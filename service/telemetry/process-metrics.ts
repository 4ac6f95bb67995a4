import { collectDefaultMetrics, Registry } from 'prom-client'

/**
 * Those of prom-client's own that are true on Bun 1.4.5. The others stay empty or zero there: handles, requests
 * and resources of libuv, spaces of V8's heap, durations of its garbage collector. Of each group the first one
 * fills in the others when it is read, so it stands before them.
 */
const names = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
] as const

/** Adds what Prometheus wants to know of any process to `registry`. */
export function registerProcessMetrics(registry: Registry): void {
  const all = new Registry()
  collectDefaultMetrics({ register: all })
  for (const name of names) {
    const metric = all.getSingleMetric(name)
    // Some are missing where there is no /proc.
    if (metric !== undefined) registry.registerMetric(metric)
  }
}
