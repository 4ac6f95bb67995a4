import { SignJWT } from 'jose'
import type { StoreCredentials } from '../../compose/servers/running-store.ts'

/**
 * The bearer token with which Prometheus reads `/minio/v2/metrics/…`: a JWT in the name of a MinIO user, signed
 * with that user's secret key, as `mc admin prometheus generate` makes it. Give it a user that has
 * `compose/stacks/object-store/metrics-policy.json` and nothing else: then the key behind it opens no bucket.
 *
 * It does not expire: it ends with its user or with that user's secret key.
 *
 * Source: https://min.io/docs/minio/linux/operations/monitoring/collect-minio-metrics-using-prometheus.html
 */
export function minioMetricsToken({ accessKeyId, secretAccessKey }: StoreCredentials): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS512', typ: 'JWT' })
    .setIssuer('prometheus')
    .setSubject(accessKeyId)
    .sign(new TextEncoder().encode(secretAccessKey))
}
