import { X509Certificate } from 'node:crypto'
import { isHttp, placeOf, placesOverlap, plainHttpProblem, type ResolveHost } from './checks.ts'
import { codeOf, type Problem, type ReadFile } from './parse.ts'
import type { Values } from './variables.ts'

/** Rules between variables, and those of files that variables name. Like the rules of one variable they quote no value. */

/** Returns the problems of prefixes: without a bucket, or so that Loki, Tempo and the documents share keys. */
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
      const problem = `and S3_PREFIX_${clash.owner} share a bucket and contain each other: choose separate prefixes`
      problems.push({ variable: `S3_PREFIX_${owner}`, problem })
    }
  })
  return problems
}

/** Returns the problems of plain http and https endpoints with S3_INSECURE. */
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

/** Returns the PEM certificates in the file that `variable` names, without the text around them. */
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
