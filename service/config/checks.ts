import { X509Certificate } from 'node:crypto'
import { type Place, placesOverlap } from './places.ts'
import { codeOf, type Problem, type ReadFile } from './source.ts'
import { isHttp, plainHttpProblem, type ResolveHost } from './urls.ts'
import type { Values } from './variables.ts'

/** What no variable can tell alone: where Loki, Tempo and the documents would get into each other's keys. */
export function placeProblems(values: Values): Problem[] {
  const problems: Problem[] = []
  for (const owner of ['LOKI', 'TEMPO'] as const) {
    if (values[`S3_PREFIX_${owner}`] !== undefined && values[`S3_BUCKET_${owner}`] === undefined) {
      problems.push({ variable: `S3_PREFIX_${owner}`, problem: `does nothing without S3_BUCKET_${owner}` })
    }
  }
  const places = [
    { owner: 'DOCS', place: placeOf(values.S3_BUCKET_DOCS, values.S3_PREFIX_DOCS) },
    { owner: 'LOKI', place: placeOf(values.S3_BUCKET_LOKI, values.S3_PREFIX_LOKI ?? 'loki/') },
    { owner: 'TEMPO', place: placeOf(values.S3_BUCKET_TEMPO, values.S3_PREFIX_TEMPO ?? 'tempo/') },
  ]
  places.forEach(({ owner, place: one }, index) => {
    const clash = places
      .slice(0, index)
      .find((before) => one && before.place && placesOverlap(before.place, one))
    if (clash) {
      const problem = `and S3_PREFIX_${clash.owner} share a bucket and contain each other: choose prefixes apart`
      problems.push({ variable: `S3_PREFIX_${owner}`, problem })
    }
  })
  return problems
}

/** Only where both halves are known. */
export function placeOf(bucket: string | undefined, prefix: string | undefined): Place | undefined {
  return bucket !== undefined && prefix !== undefined ? { bucket, prefix } : undefined
}

/** Whether the endpoints may be talked to in the way that S3_INSECURE says. */
export async function transportProblems(values: Values, resolveHost: ResolveHost): Promise<Problem[]> {
  const problems: Problem[] = []
  const { S3_ENDPOINT: endpoint, S3_INSECURE: insecure } = values
  for (const name of ['S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT'] as const) {
    const text = values[name]
    if (text === undefined || insecure === undefined || !isHttp(text)) continue
    const problem = insecure
      ? await plainHttpProblem(text, resolveHost)
      : 'is plain http: use https, or set S3_INSECURE=true for a store on this machine'
    if (problem !== undefined) problems.push({ variable: name, problem })
  }
  if (insecure && endpoint !== undefined && !isHttp(endpoint)) {
    problems.push({ variable: 'S3_INSECURE', problem: 'must be false: S3_ENDPOINT is https' })
  }
  return problems
}

/** The certificates in the file that `variable` names, without what stands around them. */
export function certificatesIn(
  variable: 'S3_CA_FILE' | 'OTEL_EXPORTER_OTLP_CERTIFICATE',
  values: Values,
  readFile: ReadFile,
): { pem?: string; problems: Problem[] } {
  const path = values[variable]
  if (path === undefined) return { problems: [] }
  const refused = (problem: string) => ({ problems: [{ variable, problem }] })
  try {
    const blocks = readFile(path).match(certificateForm) ?? []
    if (blocks.length > 0 && blocks.every(isCertificate)) return { pem: blocks.join('\n'), problems: [] }
    return refused('names a file that is not PEM certificates')
  } catch (error) {
    return refused(`names a file that cannot be read (${codeOf(error)})`)
  }
}

/** RFC 7468 section 5. */
const certificateForm = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
