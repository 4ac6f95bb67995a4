import type { Tracer } from '@opentelemetry/api'
import type { Config } from './config/config.ts'
import { inventoryTotals, takeInventories } from './documents/maintenance/inventory-walk.ts'
import { type Swept, sweep } from './documents/maintenance/sweeper.ts'
import { limits } from './limits.ts'
import { type CapabilityWatch, watchCapabilities } from './object-store/capability-watch.ts'
import type { ObjectStore } from './object-store/object-store.ts'
import { conditionsProblem } from './object-store/probe/conditions.ts'
import { probeStore } from './object-store/probe/probe.ts'
import { explainTickets } from './object-store/probe/tickets.ts'
import type { S3Connection } from './object-store/s3/connection.ts'
import { nothingKnown, type StoreCapabilities } from './object-store/store-capabilities.ts'
import type { Logger } from './telemetry/logger.ts'
import type { ServiceMetrics } from './telemetry/service-metrics.ts'
import { withSpan } from './telemetry/tracing.ts'

/** What the service does at its start and hourly, without being asked: it probes the store, sweeps it and takes inventory. */
export interface Upkeep {
  /** What the probe has found out so far. */
  capabilities(): StoreCapabilities
  /** Begins; to be called once. */
  start(): void
  /** Begins nothing more. */
  stop(): void
}

export interface UpkeepOptions {
  config: Config
  /** Of the bucket that is probed. */
  connection: S3Connection
  /** The documents, which are swept. */
  store: ObjectStore
  logger: Logger
  metrics: Pick<ServiceMetrics, 'inventoryKnown'>
  /** Gives every sweep a trace of its own, since it belongs to no request. */
  tracer: Tracer | undefined
  /** When the first inventory is taken at the earliest; default: `limits.inventoryDelaySeconds`. */
  inventoryDelaySeconds?: number | undefined
  /** False if it is known already what the store can do. */
  probes: boolean
  /** Called once the store turns out to be one on which documents could be lost, after the reason was logged. */
  onUnfit(): void
}

/** Returns the upkeep, which has not begun. Its failures are logged. */
export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { store, logger, metrics, tracer, inventoryDelaySeconds = limits.inventoryDelaySeconds } = options
  let watch: CapabilityWatch | undefined
  let sweeping: ReturnType<typeof setInterval> | undefined
  let counting: ReturnType<typeof setTimeout> | undefined
  const stopped = new AbortController()

  function sweepOnce(): Promise<Swept> {
    return sweep(store, {
      onLost: (ref, tags) => logger.error('version.lost', { ...ref, tags }),
      onFailure: (ref, cause) => logger.warn('sweep.skipped', { ...ref, cause }),
    })
  }

  async function sweepStore(): Promise<void> {
    try {
      const swept = await (tracer ? withSpan(tracer, 'sweep', sweepOnce) : sweepOnce())
      if (Object.values(swept).some((count) => count > 0)) logger.info('sweep.finished', { ...swept })
    } catch (cause) {
      logger.warn('sweep.failed', { cause })
    }
  }

  async function countStore(): Promise<void> {
    const { signal } = stopped
    const take = () => takeInventories(store, { signal })
    try {
      const outcome = await (tracer ? withSpan(tracer, 'inventory', take) : take())
      const totals = await inventoryTotals(store, { signal })
      if (totals) metrics.inventoryKnown({ ...totals, at: Date.parse(totals.startedAt) })
      if (totals && outcome === 'finished') {
        const { startedAt, documents, versions, bytes } = totals
        logger.info('inventory.finished', { startedAt, documents, versions, bytes })
      }
    } catch (cause) {
      if (!signal.aborted) logger.warn('inventory.failed', { cause })
    }
    if (!signal.aborted) counting = setTimeout(countStore, limits.sweepIntervalSeconds * 1000)
  }

  return {
    capabilities: () => watch?.current() ?? nothingKnown,
    start() {
      if (options.probes) watch = watchStore(options)
      sweeping = setInterval(sweepStore, limits.sweepIntervalSeconds * 1000)
      void sweepStore()
      // Not all replicas at once, although one of them does it.
      counting = setTimeout(countStore, inventoryDelaySeconds * (1 + Math.random()) * 1000)
    },
    stop() {
      stopped.abort()
      clearTimeout(counting)
      clearInterval(sweeping)
      watch?.stop()
    },
  }
}

function watchStore({ config, connection, logger, onUnfit }: UpkeepOptions): CapabilityWatch {
  return watchCapabilities({
    probe: (onFinding) => probeStore(connection, config.docs.prefix, { securityOnly: true, onFinding }),
    intervalSeconds: limits.probeIntervalSeconds,
    retrySeconds: limits.probeRetrySeconds,
    onRound(known, findings) {
      const { why, copyHoleLine } = explainTickets(findings)
      const seen = findings.map(({ id, verdict, seen }) => [id, `${verdict}: ${seen}`])
      logger.info('store.probed', {
        ...{ ...known, why, copyHole: copyHoleLine },
        seen: Object.fromEntries(seen),
      })
      const problem = config.singleReplica ? undefined : conditionsProblem(findings)
      if (!problem) return
      logger.error('store.unfit', { problem })
      onUnfit()
    },
  })
}
