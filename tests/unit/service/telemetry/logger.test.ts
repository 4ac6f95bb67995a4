import { describe, expect, it } from 'bun:test'
import {
  type AuditEntry,
  createLogger,
  type Logger,
  type LoggerOptions,
  type LogRecord,
} from '../../../../service/telemetry/logger.ts'
import { registerSecret } from '../../../../service/telemetry/redaction.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'

type Line = Record<string, unknown>

function recording(options: Partial<LoggerOptions> = {}): { logger: Logger; lines: Line[]; raw: string[] } {
  const lines: Line[] = []
  const raw: string[] = []
  const destination = {
    write(line: string) {
      raw.push(line)
      lines.push(JSON.parse(line))
    },
  }
  return {
    logger: createLogger({ level: 'debug', service: 'documents', destination, ...options }),
    lines,
    raw,
  }
}

const decision: AuditEntry = {
  decision: 'denied',
  rule: 'tenant-in-token',
  action: 'version.read',
  subject: 'alice',
  tenant: 'globex',
  type: 'definitions',
  name: 'orders.json',
  digest: `sha256:${'a'.repeat(64)}`,
  clientAddress: '192.0.2.7',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  correlationId: 'order-42',
}

describe('createLogger', () => {
  it('writes one JSON object per line, whatever the fields hold', () => {
    const { logger, lines, raw } = recording()
    logger.info('upload.finished', { name: 'a\nb', bytes: 7 })
    expect(raw).toHaveLength(1)
    expect(raw[0]?.indexOf('\n')).toBe((raw[0]?.length ?? 0) - 1)
    expect(lines[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'info',
      kind: 'log',
      service: 'documents',
      event: 'upload.finished',
      name: 'a\nb',
      bytes: 7,
    })
  })

  it('leaves out lines below its level', () => {
    const { logger, lines } = recording({ level: 'warn' })
    logger.debug('a')
    logger.info('b')
    logger.warn('c')
    logger.error('d')
    expect(lines.map(({ level, event }) => [level, event])).toEqual([
      ['warn', 'c'],
      ['error', 'd'],
    ])
  })

  it('gives a child its fields in every line, and leaves the parent as it was', () => {
    const { logger, lines } = recording()
    const child = logger.child({ traceId: 't1' }).child({ correlationId: 'c1' })
    child.info('from the child', { correlationId: 'c2' })
    logger.info('from the parent')
    expect(lines[0]).toMatchObject({ traceId: 't1', correlationId: 'c2' })
    expect(lines[1]).not.toHaveProperty('traceId')
  })

  it('redacts fields, including those of children and errors', () => {
    const value = crypto.randomUUID()
    const forget = registerSecret(new Secret(value))
    const { logger, raw } = recording()
    logger.child({ authorization: 'canary' }).error('failed', {
      error: new Error(`store said ${value}`),
      url: 'https://store/?X-Amz-Signature=canary',
    })
    forget()
    expect(raw.join()).not.toContain('canary')
    expect(raw.join()).not.toContain(value)
    expect(raw.join()).toContain('store said [redacted]')
  })

  it('lets no field replace what the logger itself writes', () => {
    const { logger, lines } = recording()
    logger.child({ kind: 'audit' }).info('x', { event: 'access.decided', time: 'never', level: 'audit' })
    expect(lines[0]).toMatchObject({ kind: 'log', event: 'x', level: 'info', kind_: 'audit', time_: 'never' })
  })

  it('continues when a log line cannot be written', () => {
    const { logger } = recording({ destination: { write: fail } })
    expect(() => logger.error('x')).not.toThrow()
  })
})

describe('audit', () => {
  it('writes the whole decision', () => {
    const { logger, lines } = recording()
    logger.audit(decision)
    expect(lines).toEqual([
      {
        time: expect.stringMatching(/Z$/),
        level: 'info',
        kind: 'audit',
        service: 'documents',
        event: 'access.decided',
        ...decision,
      },
    ])
  })

  it('is written however high the level is', () => {
    const { logger, lines } = recording({ level: 'error' })
    logger.audit(decision)
    expect(lines).toMatchObject([{ kind: 'audit' }])
  })

  it('carries the id and expiry of a signed URL', () => {
    const { logger, lines } = recording()
    const signedUrl = { id: 'u1', expiresAt: '2026-11-23T10:00:00Z' }
    logger.audit({ ...decision, signedUrl })
    expect(lines[0]).toMatchObject({ signedUrl })
  })

  it('redacts what callers put into names', () => {
    const { logger, raw } = recording()
    logger.audit({ ...decision, name: 'x?X-Amz-Signature=canary' })
    expect(raw.join()).not.toContain('canary')
  })

  it('fails where it cannot be written, so that the decision takes no effect', () => {
    const { logger } = recording({ destination: { write: fail } })
    expect(() => logger.audit(decision)).toThrow('disk full')
  })

  it('goes to its own destination, if there is one, and nothing else does', () => {
    const audited: string[] = []
    const { logger, lines } = recording({ auditDestination: { write: (line) => void audited.push(line) } })
    logger.info('upload.finished')
    logger.audit(decision)
    logger.child({}).audit(decision)
    expect(lines.map(({ kind }) => kind)).toEqual(['log'])
    expect(audited.map((line) => JSON.parse(line).kind)).toEqual(['audit', 'audit'])
  })

  it('works until a line cannot be written, which is reported once, and again after one can', () => {
    const failures: unknown[] = []
    const written: string[] = []
    let isFull = false
    const write = (line: string) => (isFull ? fail() : void written.push(JSON.parse(line).event))
    const onAuditFailure = (cause: unknown) => void failures.push(cause)
    const { logger } = recording({ destination: { write }, onAuditFailure })
    expect(logger.auditWorks()).toBe(true)
    isFull = true
    logger.info('found.by.an.ordinary.line')
    expect(() => logger.audit(decision)).toThrow('disk full')
    expect([logger.auditWorks(), logger.auditWorks()]).toEqual([false, false])
    expect(failures).toEqual([new Error('disk full')])
    isFull = false
    expect([logger.auditWorks(), logger.auditWorks()]).toEqual([true, true])
    expect(written).toEqual(['audit.resumed'])
    isFull = true
    expect(() => logger.audit(decision)).toThrow('disk full')
    expect(failures).toHaveLength(2)
  })

  it('is not said to fail because of ordinary lines that go elsewhere', () => {
    const { logger } = recording({ destination: { write: fail }, auditDestination: { write() {} } })
    logger.info('lost')
    expect(logger.auditWorks()).toBe(true)
  })
})

describe('a sink', () => {
  function recordingSink(options: Partial<LoggerOptions> = {}) {
    const records: LogRecord[] = []
    const { logger, raw } = recording({ sink: { emit: (record) => records.push(record) }, ...options })
    return { logger, records, raw }
  }

  it('gets every line as it was written, scrubbed, with its fields; audit lines too', () => {
    const { logger, records, raw } = recordingSink()
    logger.child({ tenant: 'acme' }).warn('upload.slow', { ticket: 'canary' })
    logger.audit(decision)
    expect(records.map(({ line }) => `${line}\n`)).toEqual(raw)
    expect(records).toMatchObject([
      {
        level: 'warn',
        kind: 'log',
        event: 'upload.slow',
        fields: { tenant: 'acme', ticket: '[redacted]' },
      },
      { level: 'info', kind: 'audit', event: 'access.decided', fields: { subject: 'alice' } },
    ])
    expect(records[0]?.time.toISOString()).toBe(JSON.parse(raw[0] ?? '').time)
  })

  it('gets no line below the level', () => {
    const { logger, records } = recordingSink({ level: 'error' })
    logger.warn('a')
    expect(records).toEqual([])
  })

  it('gets no decision that was not recorded, but a log line that was not written', () => {
    const { logger, records } = recordingSink({ destination: { write: fail } })
    expect(() => logger.audit(decision)).toThrow('disk full')
    logger.info('a')
    expect(records.map(({ event }) => event)).toEqual(['a'])
  })
})

function fail(): never {
  throw new Error('disk full')
}
