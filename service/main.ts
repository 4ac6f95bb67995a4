import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { version } from '../package.json'
import { createApp } from './app.ts'
import { createAuthenticator } from './authn/authenticator.ts'
import { type Config, ConfigError, parseConfig, secretsOf } from './config/config.ts'
import { isAlive, livenessFlag } from './config/liveness.ts'
import { deriveKey } from './derived-key.ts'
import { createDomain } from './documents/create-domain.ts'
import { type Swept, sweep } from './documents/maintenance/sweeper.ts'
import { limits } from './limits.ts'
import { watchCapabilities } from './object-store/capability-watch.ts'
import type { ObjectStore } from './object-store/object-store.ts'
import { measured } from './object-store/observed-object-store.ts'
import { prefixed, prefixedSigner } from './object-store/prefixed-object-store.ts'
import type { Finding } from './object-store/probe/finding.ts'
import { probeStore } from './object-store/probe/probe.ts'
import { explainTickets } from './object-store/probe/tickets.ts'
import { createS3Connections } from './object-store/s3/connection.ts'
import { createS3ObjectStore } from './object-store/s3/s3-object-store.ts'
import { createS3TransferSigner } from './object-store/s3/s3-transfer-signer.ts'
import { capabilityStates } from './object-store/store-capabilities.ts'
import { traced } from './object-store/traced-object-store.ts'
import { signedOrigins } from './object-store/transfer-signer.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'
import { registerSecret } from './telemetry/redaction.ts'
import { startTelemetry } from './telemetry/telemetry.ts'
import { withSpan } from './telemetry/tracing.ts'
import { bundleUi } from './ui/bundle.ts'

/** EX_CONFIG of sysexits.h: an orchestrator that sees it need not try again. */
const configurationExitCode = 78

const ticketLabels = { POST: 'post', PUT: 'put', none: 'none' } as const

// A container's health check: an image without a shell has nothing else to ask with.
if (Bun.argv.includes(livenessFlag))
  process.exit((await isAlive({ HOST: Bun.env.HOST, PORT: Bun.env.PORT })) ? 0 : 1)

const config = await readConfig()
for (const secret of secretsOf(config)) registerSecret(secret)
const telemetry = await startTelemetry(config, {
  version,
  host: hostname(),
  capabilities: () => capabilityStates(capabilities.current()),
  onTurn(signal, state, why) {
    logger[state === 'failing' ? 'warn' : 'info'](`telemetry.${state}`, { signal, why })
  },
})
const { metrics } = telemetry
const logger = createLogger({ level: 'info', service: config.serviceName, sink: telemetry.logSink })
if (config.ignored.length > 0) logger.warn('config.ignored', { names: config.ignored })

const connection = {
  ...config.s3,
  bucket: config.docs.bucket,
  accessKeyId: config.s3.accessKeyId.reveal(),
  secretAccessKey: config.s3.secretAccessKey.reveal(),
  // The probe asks beside the service, and counts as well.
  connections: createS3Connections(config.s3.connectionsMax),
}
const signingSecret = (config.ticketSigningKey ?? config.s3.secretAccessKey).reveal()
const bucket = createS3ObjectStore(connection)
const store = prefixed(watched(bucket), config.docs.prefix)
const capabilities = watchCapabilities({
  probe: (onFinding) => probeStore(connection, config.docs.prefix, { securityOnly: true, onFinding }),
  intervalSeconds: limits.probeIntervalSeconds,
  retrySeconds: limits.probeRetrySeconds,
  onRound(known, findings) {
    const { why, copyHoleLine } = explainTickets(findings)
    logger.info('store.probed', { ...known, why, copyHole: copyHoleLine, seen: seenOf(findings) })
  },
})
const signer = createS3TransferSigner(connection)
// Not waited for: the API is there at once, and the first page some 50 ms later.
const bundle = bundleUi()
bundle.catch((cause: unknown) => logger.error('ui.unavailable', { cause }))
const app = createApp({
  ...createDomain({
    store,
    documentBytesMax: config.documentBytesMax,
    cursorKey: deriveKey(signingSecret, 'documents/cursor/v1'),
    ticketKey: deriveKey(signingSecret, 'documents/ticket/v1'),
    signer: prefixedSigner(signer, config.docs.prefix),
    capabilities: capabilities.current,
    onIntegrityViolation(ref, found) {
      metrics.integrityMismatched()
      logger.error('integrity.violated', { ...ref, found })
    },
    onUploadTicket: (method) => metrics.uploadTicket(ticketLabels[method]),
  }),
  authenticator: createAuthenticator({
    issuer: config.auth.issuer,
    audience: config.auth.audience,
    jwksUrl: config.auth.jwksUrl,
  }),
  logger,
  documentBytesMax: config.documentBytesMax,
  ui: {
    bundle,
    settings: {
      issuer: config.auth.issuer,
      clientId: config.auth.clientId,
      audience: config.auth.audience,
      traceUrlTemplate: config.traceUrlTemplate ?? null,
      documentBytesMax: config.documentBytesMax,
    },
    connectOrigins: [...(await signedOrigins(signer)), new URL(config.auth.issuer).origin],
  },
  spans: telemetry.requestSpans,
  metrics,
})
const server = app.listen(config.http)
const metricsServer =
  config.metrics && telemetry.prometheus && app.listenForMetrics(config.metrics, telemetry.prometheus)
const sweeping = setInterval(() => sweepAndTell(store, logger), limits.sweepIntervalSeconds * 1000)
logger.info('service.listening', {
  url: server.url,
  publicUrl: config.http.publicUrl,
  metrics: metricsServer?.url,
})
void sweepAndTell(store, logger)

process.once('SIGTERM', () => drain('SIGTERM'))
process.once('SIGINT', () => drain('SIGINT'))

async function readConfig(): Promise<Config> {
  try {
    return await parseConfig(Bun.env, (path) => readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(configurationExitCode)
  }
}

/** The store as telemetry sees it; untouched where nobody looks. */
function watched(store: ObjectStore): ObjectStore {
  const counted = telemetry.prometheus ? measured(store, metrics.storeCalled) : store
  return config.telemetry.traces && telemetry.exported
    ? traced(counted, telemetry.exported.tracer, config.docs.bucket)
    : counted
}

/** What was seen, by row. */
function seenOf(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ id, verdict, seen }) => [id, `${verdict}: ${seen}`]))
}

async function sweepAndTell(store: ObjectStore, logger: Logger): Promise<void> {
  try {
    const swept: Swept = await inSpan('sweep', () => sweep(store))
    if (swept.stagedRemoved + swept.uploadsAborted > 0) logger.info('sweep.finished', { ...swept })
  } catch (cause) {
    logger.warn('sweep.failed', { cause })
  }
}

/** So that what is done in the background, and not for a request, is one trace too. */
async function inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  return telemetry.exported ? withSpan(telemetry.exported.tracer, name, work) : work()
}

/** Tells load balancers first, keeps serving while they notice, lets transfers finish, and goes. */
async function drain(signal: string): Promise<void> {
  logger.info('service.draining', { signal })
  app.drain()
  clearInterval(sweeping)
  capabilities.stop()
  // Somebody at a terminal is no load balancer.
  if (signal === 'SIGTERM') await Bun.sleep(limits.drainNoticeSeconds * 1000)
  await Promise.race([server.stop(), Bun.sleep(limits.drainSecondsMax * 1000)])
  bucket.close()
  logger.info('service.stopped')
  const unsent = (await telemetry.exported?.shutdown()) ?? 0
  if (unsent > 0) logger.warn('telemetry.unsent', { items: unsent })
  process.exit(0)
}
