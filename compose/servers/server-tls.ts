import { readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { makeTempFolder, removeTempFolder } from '../../service/cli/temp-folder.ts'
import { mustRun } from '../run-command.ts'
import type { ServerTls } from './running-store.ts'

/** What the certificate may be used for: these names only, and no further certificates. */
const serverExtensions = (names: readonly string[]) => `
subjectAltName = ${['127.0.0.1', 'localhost', ...names].map(alternativeName).join(', ')}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
`

/** A client compares an address with addresses only (RFC 9110 section 4.3.5). */
const alternativeName = (name: string) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`)

/**
 * Creates a private authority and a certificate for 127.0.0.1, localhost and `names` (addresses too). The
 * authority's key is deleted before this returns, so it never signs another certificate.
 *
 * @param days how long it is valid; below 0 it has expired already.
 * @throws {CommandError} without `openssl`.
 */
export async function makeServerTls(names: readonly string[] = [], days = 2): Promise<ServerTls> {
  const folder = await makeTempFolder('tls')
  const openssl = (...args: string[]) => mustRun(['openssl', ...args], { cwd: folder, secondsMax: 60 })
  try {
    const authority = ['-x509', '-days', '2', '-subj', '/CN=authority for one run', '-out', 'ca.crt']
    await openssl(...newKey('ca'), ...authority)
    await openssl(...newKey('server'), '-subj', '/CN=localhost', '-out', 'server.csr')
    await writeFile(join(folder, 'extensions'), serverExtensions(names))
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', `${days}`, '-sha256']
    await openssl('x509', '-req', '-in', 'server.csr', ...by, '-extfile', 'extensions', '-out', 'server.crt')
    const read = (name: string) => readFile(join(folder, name), 'utf8')
    return {
      certificate: await read('server.crt'),
      privateKey: await read('server.key'),
      ca: await read('ca.crt'),
    }
  } finally {
    await removeTempFolder(folder)
  }
}

/** Returns the arguments of `openssl req` for a new P-256 key in `<name>.key`. */
function newKey(name: string): string[] {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  return ['req', '-new', '-sha256', ...curve, '-keyout', `${name}.key`]
}
