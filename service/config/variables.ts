import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../limits.ts'
import { bucketProblem } from './places.ts'
import { telemetryVariables } from './telemetry-variables.ts'
import {
  endpointProblem,
  hostProblem,
  issuerProblem,
  loginUrlProblem,
  publicUrlProblem,
  traceUrlProblem,
} from './urls.ts'
import { type Variable, variable } from './variable.ts'

export type { Variable }

const flag = Type.Boolean()
const text = Type.String()
const bucket = variable({
  schema: text,
  form: 'a bucket name: 3–63 of a-z, 0-9, hyphen and dot',
  meaning: 'bucket',
  rule: bucketProblem,
})
const prefix = variable({
  // 512 characters leave room for the longest key below it: S3 keys end at 1,024 bytes.
  schema: Type.String({ pattern: '^([A-Za-z0-9][A-Za-z0-9._-]*/){1,8}$', maxLength: 512 }),
  form: '1–8 segments of `[A-Za-z0-9][A-Za-z0-9._-]*`, each with a slash after it, at most 512 characters',
  meaning: 'prefix',
})
const name = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })

/** Every variable that the service reads, in the order of the table. */
export const variables = {
  S3_ENDPOINT: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info, such as `https://fsn1.your-objectstorage.com`',
    meaning: 'the object store',
    required: true,
    rule: endpointProblem,
  }),
  S3_PUBLIC_ENDPOINT: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info',
    meaning: 'host in signed URLs; clients must reach it; the rules of `S3_ENDPOINT` hold',
    derived: '`S3_ENDPOINT`',
    rule: endpointProblem,
  }),
  S3_REGION: variable({
    schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9-]{0,62}$' }),
    form: 'a region such as `us-east-1` or `fsn1`',
    meaning: 'goes into every signature, also where the provider ignores it',
    required: true,
  }),
  S3_ACCESS_KEY_ID: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{3,128}$' }),
    form: '3–128 printable characters without a space',
    meaning: 'who we are to the object store',
    required: true,
    secret: true,
  }),
  S3_SECRET_ACCESS_KEY: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{8,256}$' }),
    form: '8–256 printable characters without a space',
    meaning: 'signs every request to the object store',
    required: true,
    secret: true,
  }),
  S3_FORCE_PATH_STYLE: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning: '`true` for MinIO: the bucket goes into the path and not into the host name',
    fallback: 'false',
  }),
  S3_INSECURE: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning:
      'plain http to a local store: an `http:` endpoint needs it, an `https:` one refuses it; only for loopback ' +
      'and for single-label names that resolve to loopback or private addresses; never weakens certificate checks',
    fallback: 'false',
  }),
  S3_CA_FILE: variable({
    schema: text,
    form: 'a file of PEM certificates',
    meaning: 'private certificate authority of the object store',
  }),
  S3_CONNECTIONS_MAX: variable({
    // Below twice limits.promotionsMax, promotions that read and write at once could wait for each other.
    schema: Type.Integer({ minimum: 2 * limits.promotionsMax, maximum: 256 }),
    form: `a whole number from ${2 * limits.promotionsMax} to 256`,
    meaning: 'connections to the store, per replica (Hetzner allows about 256 per source address)',
    fallback: '64',
  }),
  S3_BUCKET_DOCS: variable({
    ...bucket,
    meaning: 'bucket of the documents; locally `cloudlysis-docs`',
    required: true,
  }),
  S3_PREFIX_DOCS: variable({ ...prefix, meaning: 'prefix of every document key', fallback: 'docs/' }),
  S3_BUCKET_LOKI: variable({ ...bucket, meaning: 'bucket of Loki; locally `cloudlysis-loki`' }),
  S3_PREFIX_LOKI: variable({
    ...prefix,
    meaning: 'prefix of Loki, where it has a bucket; prefixes in one bucket must not contain each other',
    derived: '`loki/`',
  }),
  S3_BUCKET_TEMPO: variable({ ...bucket, meaning: 'bucket of Tempo; locally `cloudlysis-tempo`' }),
  S3_PREFIX_TEMPO: variable({
    ...prefix,
    meaning: 'prefix of Tempo, where it has a bucket; prefixes in one bucket must not contain each other',
    derived: '`tempo/`',
  }),
  AUTH_ISSUER: variable({
    schema: text,
    form: 'the https URL that is `iss` in the tokens, to the letter (http only on loopback)',
    meaning: 'who issues tokens; `bun run start` brings its own',
    required: true,
    rule: issuerProblem,
  }),
  AUTH_AUDIENCE: variable({
    schema: name,
    form: '1–255 printable characters without a space',
    meaning: 'must be among `aud` of a token',
    required: true,
  }),
  AUTH_JWKS_URL: variable({
    schema: text,
    form: 'an https URL (http only on loopback)',
    meaning: "the issuer's public keys",
    required: true,
    rule: loginUrlProblem,
  }),
  AUTH_CLIENT_ID: variable({
    schema: name,
    form: '1–255 printable characters without a space',
    meaning: 'as which the UI signs people in',
    required: true,
  }),
  HOST: variable({
    schema: text,
    form: 'an address or host name such as `0.0.0.0` or `::1`, without brackets or port',
    meaning: 'where the service listens',
    fallback: '127.0.0.1',
    rule: hostProblem,
  }),
  PORT: variable({
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    form: 'a whole number from 1 to 65535',
    meaning: 'where the service listens',
    fallback: '8080',
  }),
  PUBLIC_URL: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info',
    meaning: 'where clients reach the service',
    derived: 'from `HOST` and `PORT`',
    rule: publicUrlProblem,
  }),
  DOCUMENT_BYTES_MAX: variable({
    // The lower bound catches a number that was meant in MiB or GiB.
    schema: Type.Integer({ minimum: 1024 ** 2, maximum: limits.documentBytesMax }),
    form: `a whole number of bytes from ${1024 ** 2} (1 MiB) to ${limits.documentBytesMax} (5 GiB, what S3 takes in one put)`,
    meaning: 'largest document, in bytes',
    fallback: String(limits.documentBytesMax),
  }),
  TICKET_SIGNING_KEY: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{32,1024}$' }),
    form: '32–1024 printable characters without a space',
    meaning: 'signs upload tickets',
    derived: 'derived from the S3 secret',
    secret: true,
  }),
  TRACE_URL_TEMPLATE: variable({
    schema: text,
    form: 'an https URL (http only on loopback) with `{traceId}` in its path, query or fragment',
    meaning: 'where people look at a trace; the UI links the trace id of an error to it',
    rule: traceUrlProblem,
  }),
  ...telemetryVariables,
} as const

export type VariableName = keyof typeof variables

/** What each variable says, decoded; `undefined` where it is not set and has no fallback. */
export type Values = { [Name in VariableName]: Static<(typeof variables)[Name]['schema']> | undefined }
