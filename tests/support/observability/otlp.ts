import { randomBytes } from 'node:crypto'

/** What sends, by the name that it gives itself. */
function resourceOf(service: string) {
  return { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
}

/** Sends one log record by OTLP/HTTP; `at` is its time, in milliseconds since 1970. */
export function sendLogRecord(
  otlpUrl: string,
  service: string,
  text: string,
  at = Date.now(),
): Promise<void> {
  const logRecords = [{ timeUnixNano: `${at}000000`, body: { stringValue: text } }]
  const resourceLogs = [{ resource: resourceOf(service), scopeLogs: [{ logRecords }] }]
  return post(`${otlpUrl}/v1/logs`, { resourceLogs })
}

/** Sends one trace by OTLP/HTTP, of as many spans as said, 2,000 bytes each. */
export function sendTrace(otlpUrl: string, service: string, spanCount = 1): Promise<void> {
  const traceId = randomBytes(16).toString('hex')
  const now = `${Date.now()}000000`
  const spans = Array.from({ length: spanCount }, () => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'work',
    kind: 1,
    startTimeUnixNano: now,
    endTimeUnixNano: now,
    attributes: [{ key: 'note', value: { stringValue: 'x'.repeat(1900) } }],
  }))
  return post(`${otlpUrl}/v1/traces`, {
    resourceSpans: [{ resource: resourceOf(service), scopeSpans: [{ spans }] }],
  })
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${answer}`)
}
