import { describe, expect, it } from 'bun:test'
import { inspect } from 'node:util'
import { secretsOf } from '../../../../service/config/config.ts'
import type { Environment } from '../../../../service/config/parse.ts'
import {
  accepted,
  parse,
  problemsOf,
  refused,
  secretKey as secret,
} from '../../../support/service/config-under-test.ts'

const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

/** Where traces and logs go, with what headers. */
async function destinations(changes: Environment) {
  const { traces, logs } = (await parse(changes)).telemetry
  const shown = (one: typeof traces) =>
    one && {
      url: one.url,
      headers: Object.fromEntries(Object.entries(one.headers).map(([name, value]) => [name, value.reveal()])),
    }
  return { traces: shown(traces), logs: shown(logs) }
}

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('receives traces and logs, each at its own path; without it nothing is exported', async () => {
    expect(await destinations({})).toEqual({ traces: undefined, logs: undefined })
    expect(await destinations(collector)).toEqual({
      traces: { url: 'http://collector:4318/v1/traces', headers: {} },
      logs: { url: 'http://collector:4318/v1/logs', headers: {} },
    })
    const below = await destinations({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example.com/otlp/' })
    expect(below.traces?.url).toBe('https://otlp.example.com/otlp/v1/traces')
  })

  it('is replaced by the endpoint of a signal, which is used as it is', async () => {
    const own = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://tempo:4318/v1/traces',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://loki:3100/otlp/v1/logs',
    }
    const both = {
      traces: { url: 'http://tempo:4318/v1/traces', headers: {} },
      logs: { url: 'http://loki:3100/otlp/v1/logs', headers: {} },
    }
    expect(await destinations(own)).toEqual(both)
    expect(await destinations({ ...collector, ...own })).toEqual(both)
    const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: _traces, ...logsOnly } = own
    expect(await destinations(logsOnly)).toEqual({ traces: undefined, logs: both.logs })
  })

  it('is a URL without credentials, which belong into headers', async () => {
    const name = 'OTEL_EXPORTER_OTLP_ENDPOINT'
    await refused(name, 'must be an http or https URL', ['collector:4318'])
    await refused(name, 'must not carry a user or password', [`https://user:${secret}@otlp.example.com`])
    await refused(name, 'must have neither query nor fragment', ['https://otlp.example.com?a=b'])
  })
})

describe('the variables that turn exports off', () => {
  it('are OTEL_SDK_DISABLED for everything, and an exporter of none for one signal', async () => {
    expect(await destinations({ ...collector, OTEL_SDK_DISABLED: 'true' })).toEqual({
      traces: undefined,
      logs: undefined,
    })
    const withoutLogs = await destinations({ ...collector, OTEL_LOGS_EXPORTER: 'none' })
    expect([withoutLogs.traces !== undefined, withoutLogs.logs]).toEqual([true, undefined])
    const withoutTraces = await destinations({ ...collector, OTEL_TRACES_EXPORTER: 'none' })
    expect([withoutTraces.traces, withoutTraces.logs !== undefined]).toEqual([undefined, true])
  })
})

describe('OTEL_EXPORTER_OTLP_HEADERS', () => {
  it('are percent-encoded pairs, those of a signal added to those of all', async () => {
    const found = await destinations({
      ...collector,
      OTEL_EXPORTER_OTLP_HEADERS: 'X-Scope-OrgID=acme, authorization=Basic%20YTpi',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'x-scope-orgid=logs%2Cof-acme',
    })
    expect(found.traces?.headers).toEqual({ 'x-scope-orgid': 'acme', authorization: 'Basic YTpi' })
    expect(found.logs?.headers).toEqual({ 'x-scope-orgid': 'logs,of-acme', authorization: 'Basic YTpi' })
  })

  it('may be read from a file', async () => {
    const found = await destinations({
      ...collector,
      OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE: '/secrets/headers',
    })
    expect(found.traces?.headers).toEqual({ authorization: `Bearer ${secret}` })
    expect(found.logs?.headers).toEqual({})
  })

  it('are secret: nothing prints them, and logs are redacted', async () => {
    const config = await parse({
      ...collector,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret},x-scope-orgid=acme`,
    })
    expect(inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config)).not.toContain(secret)
    const registered = secretsOf(config).map((each) => each.reveal())
    expect(registered).toContain(secret)
    expect(registered).toContain(`Bearer ${secret}`)
    // A word that stands in every log line is no secret.
    expect(registered).not.toContain('acme')
  })

  it('are refused in another form, and are not quoted', async () => {
    const problem = 'must be name=value pairs with commas between them, percent-encoded'
    const wrong = [secret, `a b=${secret}`, `=${secret}`, `a=${secret}%`, 'a=', `a=${secret}%0d%0ab`]
    await refused('OTEL_EXPORTER_OTLP_HEADERS', problem, wrong, collector)
  })

  it('are sent over plain http only to private addresses and single-label names', async () => {
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'x-scope-orgid=acme' }
    const name = 'OTEL_EXPORTER_OTLP_ENDPOINT'
    const near = [
      'http://loki:3100',
      'http://127.0.0.1:1',
      'http://10.1.2.3:1',
      'http://[::1]:1',
      'https://a.b',
    ]
    await accepted(name, near, headers)
    const problem =
      'must be https where headers are sent to it: plain http is for loopback, private addresses and single-label names'
    const far = ['http://otlp.example.com', 'http://93.184.216.34:4318']
    await refused(name, problem, far, headers)
    await accepted(name, far)
    const ofLogs = ['http://logs.example.com/otlp/v1/logs']
    await refused('OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', problem, ofLogs, { ...collector, ...headers })
  })
})

describe('the name of the service', () => {
  it('is that of the variable, otherwise that of the attribute, otherwise the default', async () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=docs,deployment.environment.name=eu%20west' }
    expect((await parse()).serviceName).toBe('cloudlysis-documents')
    expect((await parse(attributes)).serviceName).toBe('docs')
    expect((await parse({ ...attributes, OTEL_SERVICE_NAME: 'mine' })).serviceName).toBe('mine')
    expect((await parse(attributes)).telemetry.resourceAttributes).toEqual({
      'service.name': 'docs',
      'deployment.environment.name': 'eu west',
    })
  })
})

describe('OTEL_TRACES_SAMPLER', () => {
  it('is one of the six of the standard, with a ratio if it has one', async () => {
    const samplerOf = async (sampler: string, ratio?: string) =>
      (await parse({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio })).telemetry.sampler
    expect(await samplerOf('always_off')).toEqual({ kind: 'always_off', followsCaller: false, ratio: 1 })
    expect(await samplerOf('parentbased_traceidratio', '0.05')).toEqual({
      ...{ kind: 'traceidratio', followsCaller: true, ratio: 0.05 },
    })
    expect(await problemsOf({ OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_TRACES_SAMPLER_ARG: '5%' })).toEqual(
      [
        'OTEL_TRACES_SAMPLER must be always_on, always_off, traceidratio, or one of them after parentbased_',
        'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, such as 0.05',
      ],
    )
  })
})

describe('other names of OpenTelemetry and of AWS', () => {
  it('have no effect, are accepted, and are reported as ignored', async () => {
    const config = await parse({
      OTEL_BSP_MAX_QUEUE_SIZE: '1',
      OTEL_EXPORTER_OTLP_INSECURE: 'true',
      OTEL_X: '',
      AWS_USE_FIPS_ENDPOINT: 'true',
    })
    const names = ['AWS_USE_FIPS_ENDPOINT', 'OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_EXPORTER_OTLP_INSECURE']
    expect(config.ignored).toEqual(names)
    expect(
      (await parse({ ...collector, OTEL_EXPORTER_OTLP_HEADERS_FILE: '/secrets/headers' })).ignored,
    ).toEqual([])
  })

  it('count as not set if they are empty, as the standard says', async () => {
    const config = await parse({
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      OTEL_TRACES_SAMPLER: '',
      OTEL_SERVICE_NAME: '',
    })
    expect(config.telemetry.traces).toBeUndefined()
    expect(config.serviceName).toBe('cloudlysis-documents')
  })

  it('are refused if the service cannot do what they ask for', async () => {
    expect(
      await problemsOf({
        ...collector,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_TIMEOUT: '10s',
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca/other.txt',
      }),
    ).toEqual([
      'OTEL_EXPORTER_OTLP_PROTOCOL must be http/json or http/protobuf',
      'OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number of milliseconds from 100 to 60000',
      'OTEL_TRACES_EXPORTER must be otlp or none',
      'OTEL_EXPORTER_OTLP_CERTIFICATE names a file that is not PEM certificates',
    ])
  })
})

describe('METRICS_PORT', () => {
  it('opens a listener on loopback or METRICS_HOST; without it there is no listener', async () => {
    expect((await parse()).metrics).toBeUndefined()
    expect((await parse({ METRICS_PORT: '9464' })).metrics).toEqual({ host: '127.0.0.1', port: 9464 })
    const open = await parse({ METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0' })
    expect(open.metrics).toEqual({ host: '0.0.0.0', port: 9464 })
  })

  it('must not be the port of the API, which clients reach', async () => {
    await refused('METRICS_PORT', 'must not be PORT: clients of the API get there', ['9000'], {
      PORT: '9000',
    })
  })
})
