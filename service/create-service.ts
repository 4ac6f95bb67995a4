import { hostname } from 'node:os'
import { version } from '../package.json'
import { createAuthenticator } from './authn/authenticator.ts'
import { type Config, ConfigError, secretsOf } from './config/config.ts'
import { codeOf } from './config/parse.ts'
import { deriveKeys } from './derived-key.ts'
import { createDocuments } from './documents/create-documents.ts'
import { ownerOfKey } from './documents/document-key.ts'
import type { Documents } from './documents/documents.ts'
import type { UploadPace } from './documents/incoming-body.ts'
import { createApp } from './http/app.ts'
import type { UiOptions } from './http/pages/ui-pages.ts'
import type { Route } from './http/route.ts'
import { listen, listenForMetrics, type RunningServer } from './http/server.ts'
import { createTagHistory } from './http/tag-history.ts'
import { limits } from './limits.ts'
import type { ObjectStore } from './object-store/object-store.ts'
import { measured } from './object-store/observed-object-store.ts'
import { prefixedSigner } from './object-store/prefixed-object-store.ts'
import type { StoreDeadlines } from './object-store/s3/connection.ts'
import { openStore } from './object-store/s3/open-store.ts'
import { createS3TransferSigner } from './object-store/s3/s3-transfer-signer.ts'
import { decidedInProcess } from './object-store/single-writer.ts'
import { capabilityStates, type StoreCapabilities } from './object-store/store-capabilities.ts'
import { traced } from './object-store/traced-object-store.ts'
import type { TransferSigner } from './object-store/transfer-signer.ts'
import { signedOrigins } from './object-store/transfer-signer.ts'
import { appendingTo, type LineDestination } from './telemetry/line-destinations.ts'
import { createLogger } from './telemetry/logger.ts'
import { createLokiQuery } from './telemetry/loki-query.ts'
import { registerSecret } from './telemetry/redaction.ts'
import type { Secret } from './telemetry/secret.ts'
import { startTelemetry } from './telemetry/telemetry.ts'
import { bundleUi, type UiBundle } from './ui/bundle.ts'
import { createUpkeep } from './upkeep.ts'

/** What takes the place of what the configuration alone would give; for tests. */
export interface ServiceParts {
  /** Takes the lines of the log; default: standard output. */
  logDestination?: LineDestination | undefined
  /** The documents, with keys below their prefix; default: the bucket of the configuration. */
  store?: ObjectStore | undefined
  /** Signs for the keys of `store`; default: the signer of that bucket. */
  signer?: TransferSigner | undefined
  /** Wraps the store that documents and transfers use. The sweeper works on the store itself. */
  decorateStore?: ((store: ObjectStore) => ObjectStore) | undefined
  /** How long the bucket may take; default: those of `limits.ts`. */
  deadlines?: StoreDeadlines | undefined
  /** What the store can do; default: the probe finds out. */
  capabilities?: (() => StoreCapabilities) | undefined
  /** How slow an upload may be; what is left out is as `limits` say. */
  uploadPace?: Partial<UploadPace> | undefined
  /** Default: that of `limits.ts`. */
  uploadsBytesMax?: number | undefined
  /** When the first inventory is taken; default: that of `limits.ts`. */
  inventoryDelaySeconds?: number | undefined
  /** Watches of tags at once; default: that of `limits.ts`. */
  watchesMax?: number | undefined
  /** Default: that of `limits.ts`. */
  completionWaitSecondsMax?: number | undefined
  /** Files of the Control UI, `null` for a service without one; default: they are built from their sources. */
  ui?: Promise<UiBundle> | null | undefined
}

/** The whole service, not yet listening. */
export interface Service {
  /** Every call that needs a token. */
  routes: readonly Route[]
  documents: Documents
  /** Answers one request as the running service does, from a client without an address. */
  answer(request: Request): Response | Promise<Response>
  /** Listens where the configuration says, probes the store, and sweeps it from time to time. To be called once. */
  start(): { url: string }
  /**
   * Resolves once the service cannot continue: with `store` if that turns out to be one on which documents could be
   * lost, after the reason was logged; with `output` if no one reads its log any more, and so its audit lines are lost.
   */
  unfit: Promise<'store' | 'output'>
  /** From now on `/readyz` answers 503, while everything else is still served. */
  drain(): void
  /** Drains, lets running transfers finish for at most `limits.drainSecondsMax`, and frees everything. */
  close(options?: CloseOptions): Promise<void>
}

export interface CloseOptions {
  /** Why, for the log: the name of a signal. */
  signal?: string
  /** For how long requests are still taken, so that load balancers notice `/readyz`; default: 0. */
  noticeSeconds?: number
  /** Cuts running transfers instead of letting them finish. */
  now?: boolean
}

const ticketLabels = { POST: 'post', PUT: 'put', none: 'none' } as const

/**
 * The composition root: builds the service from a configuration. Reads neither environment nor signals.
 *
 * @param config as `parseConfig` returns it; its secrets are registered with the redaction of logs.
 * @throws {ConfigError} if the file of the audit log cannot be written.
 */
export async function createService(config: Config, parts: ServiceParts = {}): Promise<Service> {
  for (const secret of secretsOf(config)) registerSecret(secret)
  const unfit = Promise.withResolvers<'store' | 'output'>()
  const probed = parts.capabilities ?? (() => upkeep.capabilities())
  const capabilities = () =>
    config.singleReplica
      ? ({ ...probed(), conditionalPut: 'yes', conditionalOverwrite: 'yes' } as const)
      : probed()
  const telemetry = await startTelemetry(config, {
    version,
    host: hostname(),
    capabilities: () => capabilityStates(capabilities()),
    auditWorks: () => logger.auditWorks(),
    onTurn(signal, state, why) {
      logger[state === 'failing' ? 'warn' : 'info'](`telemetry.${state}`, { signal, why })
    },
  })
  const { metrics, prometheus, exported } = telemetry
  const logger = createLogger({
    level: 'info',
    service: config.serviceName,
    destination: parts.logDestination,
    auditDestination: auditFileOf(config),
    onAuditFailure(cause) {
      logger.error('audit.failing', { cause })
      // A reader that has gone never returns, unlike space on a disk.
      if (codeOf(cause) === 'EPIPE') unfit.resolve('output')
    },
    sink: telemetry.logSink,
  })
  if (config.ignored.length > 0) logger.warn('config.ignored', { names: config.ignored })

  const opened = openStore(config, { deadlines: parts.deadlines, observe: observed, ownerOf: ownerOfKey })
  const bucket = parts.store ?? opened.store
  const store = config.singleReplica ? decidedInProcess(bucket) : bucket
  const upkeep = createUpkeep({
    ...{ config, connection: opened.connection, store, logger, metrics },
    tracer: exported?.tracer,
    probes: parts.capabilities === undefined,
    inventoryDelaySeconds: parts.inventoryDelaySeconds,
    onUnfit: () => unfit.resolve('store'),
  })
  const decorate = parts.decorateStore ?? ((undecorated: ObjectStore) => undecorated)
  const bucketSigner = createS3TransferSigner(opened.connection)
  const signingSecrets = revealed(config.ticketSigningKeys ?? [config.s3.secretAccessKey])
  const { documents, transfers, archiveLinks, endWatches } = createDocuments({
    store: decorate(store),
    health: decorate(parts.store ?? opened.reserved),
    documentBytesMax: config.documentBytesMax,
    readVerification: config.readVerification,
    alone: config.singleReplica,
    uploadPace: parts.uploadPace,
    completionWaitSecondsMax: parts.completionWaitSecondsMax,
    cursorKeys: deriveKeys(signingSecrets, 'documents/cursor/v1'),
    ticketKeys: deriveKeys(signingSecrets, 'documents/ticket/v1'),
    archiveLinkKeys: deriveKeys(signingSecrets, 'documents/archive-link/v1'),
    signer: parts.signer ?? prefixedSigner(bucketSigner, config.docs.prefix),
    capabilities,
    onIntegrityViolation(ref, found) {
      metrics.integrityMismatched()
      logger.error('integrity.violated', { ...ref, found })
    },
    onRepaired(ref) {
      metrics.integrityRepaired()
      logger.warn('integrity.repaired', { ...ref })
    },
    onForeignObjects: metrics.foreignObjectsSkipped,
    onUploadTicket: (method) => metrics.uploadTicket(ticketLabels[method]),
  })
  const app = createApp({
    ...{ documents, transfers, archiveLinks, logger, metrics },
    authenticator: createAuthenticator({
      ...config.auth,
      proxy: config.auth.proxy?.reveal(),
      reports: {
        turned: (state, cause) => logger[state === 'failing' ? 'warn' : 'info'](`issuer.${state}`, { cause }),
        staleKeyUsed: metrics.staleKeyUsed,
      },
    }),
    documentBytesMax: config.documentBytesMax,
    trustedProxies: config.http.trustedProxies,
    tagHistory:
      config.audit.query && createTagHistory(createLokiQuery(config.audit.query), config.serviceName),
    requestsMax: config.http.requestsMax,
    uploadsBytesMax: parts.uploadsBytesMax,
    watchesMax: parts.watchesMax,
    ui: await uiOptions(),
    spans: telemetry.requestSpans,
  })
  let server: RunningServer | undefined
  let metricsServer: RunningServer | undefined

  /** The bucket as telemetry sees it; untouched where nothing is collected. */
  function observed(bucket: ObjectStore): ObjectStore {
    const counted = prometheus ? measured(bucket, metrics.storeCalled) : bucket
    return config.telemetry.traces && exported
      ? traced(counted, exported.tracer, config.docs.bucket)
      : counted
  }

  async function uiOptions(): Promise<UiOptions | undefined> {
    if (parts.ui === null) return undefined
    // Not waited for: the API answers at once, and the first page some 50 ms later.
    const bundle = parts.ui ?? bundleUi()
    bundle.catch((cause: unknown) => logger.error('ui.unavailable', { cause }))
    const { issuer, clientId, audience } = config.auth
    const { traceUrlTemplate = null, documentBytesMax } = config
    const hasHistory = config.audit.query !== undefined
    return {
      bundle,
      settings: { issuer, clientId, audience, traceUrlTemplate, documentBytesMax, hasHistory },
      connectOrigins: [...(await signedOrigins(bucketSigner)), new URL(issuer).origin],
    }
  }

  function drain(): void {
    app.drain()
    // So that who watches a tag asks another replica.
    endWatches()
  }

  return {
    routes: app.routes,
    documents,
    answer: (request) => app.elysia.fetch(request),
    unfit: unfit.promise,
    drain,

    start() {
      server = listen(config.http, app.elysia)
      if (config.metrics && prometheus) metricsServer = listenForMetrics(config.metrics, prometheus)
      logger.info('service.listening', {
        url: server.url,
        publicUrl: config.http.publicUrl,
        metrics: metricsServer?.url,
      })
      upkeep.start()
      return { url: server.url }
    },

    async close({ signal, noticeSeconds = 0, now = false } = {}) {
      logger.info('service.draining', { signal })
      drain()
      upkeep.stop()
      await Bun.sleep(noticeSeconds * 1000)
      await Promise.race([server?.stop(now), Bun.sleep(limits.drainSecondsMax * 1000)])
      app.close()
      await metricsServer?.stop(true)
      opened.close()
      bucketSigner.close()
      logger.info('service.stopped')
      const unsent = (await exported?.shutdown()) ?? 0
      if (unsent > 0) logger.warn('telemetry.unsent', { items: unsent })
    },
  }
}

function auditFileOf({ audit: { file } }: Config): LineDestination | undefined {
  try {
    return file === undefined ? undefined : appendingTo(file)
  } catch (cause) {
    const problem = `names a file that cannot be written (${codeOf(cause)})`
    throw new ConfigError([{ variable: 'AUDIT_LOG_FILE', problem }])
  }
}

function revealed([first, ...others]: readonly [Secret, ...Secret[]]): [string, ...string[]] {
  return [first.reveal(), ...others.map((secret) => secret.reveal())]
}
