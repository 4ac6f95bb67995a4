import type { Document, ListedVersion } from '../wire/answers.ts'
import { printable } from './failure.ts'

const output = Bun.stdout.writer()

/** Writes to standard output and waits until it is taken. @throws `EPIPE` where the reader has gone */
export async function printBytes(bytes: Uint8Array | string): Promise<void> {
  output.write(bytes)
  await output.flush()
}

/** One JSON object per line: what scripts read, also of listings without an end. */
export function printJson(value: object): Promise<void> {
  return printBytes(`${JSON.stringify(value)}\n`)
}

export function printLine(text: string): Promise<void> {
  return printBytes(`${printable(text)}\n`)
}

/** Says on standard error why bytes took the longer way; nothing for `null`. */
export function noteFallback(reason: string | null): void {
  if (reason !== null) process.stderr.write(`note: went through the service (${printable(reason)})\n`)
}

/** Columns of fixed width come first, so that rows line up although each is printed as it comes. */
export function listedRow({ storedAt, size, digest, type, name }: ListedVersion): string {
  return `${storedAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${type}/${name}`
}

export function versionRow({ createdAt, size, digest, createdBy, contentType, tags }: Document): string {
  const tagged = tags.length > 0 ? `  [${tags.join(' ')}]` : ''
  return `${createdAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${createdBy}  ${contentType}${tagged}`
}

/** Bytes for people, in powers of 1024 (IEC 80000-13): `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}
