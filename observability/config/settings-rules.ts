/** What the clients of Loki and Tempo cannot express, though the configuration contract allows it. */
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import type { Problem } from '../../service/config/parse.ts'
import type { Values } from '../../service/config/variables.ts'

/** The two S3 clients that Loki 3 has. */
export type LokiClient = 'thanos' | 'classic'

/** Returns whether Loki's thanos client accepts `prefix`, which ends with a slash, as a `storage_prefix`. */
export function fitsThanos(prefix: string): boolean {
  return /^[0-9A-Za-z-]+\/$/.test(prefix)
}

/** Returns what the servers cannot express of values that are valid by themselves. */
export function storeProblems(values: Values, lokiClient: LokiClient): Problem[] {
  return [
    ...(values.S3_BUCKET_LOKI !== undefined && lokiClient === 'thanos' ? thanosProblems(values) : []),
    ...(values.S3_FORCE_PATH_STYLE === false ? hostNameProblems(values) : []),
    ...caFileProblems(values),
  ]
}

function thanosProblems({ S3_ENDPOINT, S3_BUCKET_LOKI, S3_PREFIX_LOKI = 'loki/' }: Values): Problem[] {
  const problems: Problem[] = []
  if (!fitsThanos(S3_PREFIX_LOKI)) {
    const problem =
      "must be one segment of digits, letters and hyphens for Loki's thanos client: " +
      'only its classic client (s3-classic) takes others'
    problems.push({ variable: 'S3_PREFIX_LOKI', problem })
  }
  // Loki's own check of the thanos client.
  if (S3_ENDPOINT !== undefined && hostIn(S3_ENDPOINT).split('.')[0] === S3_BUCKET_LOKI) {
    const problem = "must not be the first label of S3_ENDPOINT's host: Loki's thanos client refuses that"
    problems.push({ variable: 'S3_BUCKET_LOKI', problem })
  }
  return problems
}

/** Without path style the bucket is put before the host; SDKs fall back by themselves where that is impossible. */
function hostNameProblems(values: Values): Problem[] {
  const { S3_ENDPOINT: endpoint } = values
  if (endpoint === undefined) return []
  const variable = 'S3_FORCE_PATH_STYLE'
  if (isIP(hostIn(endpoint).replace(/^\[|\]$/g, '')) !== 0) {
    return [
      { variable, problem: 'must be true: a bucket cannot be put before the IP address in S3_ENDPOINT' },
    ]
  }
  const dotted = (['S3_BUCKET_LOKI', 'S3_BUCKET_TEMPO'] as const).filter(
    (name) => endpoint.startsWith('https:') && values[name]?.includes('.'),
  )
  return dotted.map((name) => ({
    variable,
    problem: `must be true: ${name} has a dot, and no certificate is good for it before the host of S3_ENDPOINT`,
  }))
}

function caFileProblems({ S3_CA_FILE }: Values): Problem[] {
  if (S3_CA_FILE === undefined || isAbsolute(S3_CA_FILE)) return []
  const problem = 'must be an absolute path for Loki and Tempo, which run in folders of their own'
  return [{ variable: 'S3_CA_FILE', problem }]
}

function hostIn(endpoint: string): string {
  return new URL(endpoint).hostname
}
