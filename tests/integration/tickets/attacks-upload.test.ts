import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'
import { attackScene } from '../../support/service/attack-scene.ts'
import { jsonOf, refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { contentType } from '../../support/service/ticket-calls.ts'
import { type Forgery, sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'

setDefaultTimeout(600_000)

let own: Uint8Array<ArrayBuffer>

const scene = stoppedAfterTests(await attackScene())

beforeEach(() => {
  own = randomDocument(2 * KiB)
})

afterEach(async () => {
  expect(await scene.harm()).toEqual([])
})

/** A ticket as mallory gets it from the service, by the method that this store allows. */
function ownTicket(name: string): Promise<Ticket> {
  return scene.mallory.ticketFor(name, own)
}

/** A ticket for the victim's bytes, of which mallory knows digest and size only. */
async function ticketForSecret(name: string): Promise<Ticket> {
  const { digest, bytes } = scene.secret
  const response = await scene.mallory.ask(name, own, { digest, size: bytes.length })
  expect(response.status).toBe(201)
  return (await jsonOf(response)) as unknown as Ticket
}

/** Where a form may have fields, a PUT may have headers. */
function adding(ticket: Ticket, field: string, value: string, header = field): Forgery {
  return ticket.method === 'POST' ? { fieldsAfter: [[field, value]] } : { headers: { [header]: value } }
}

async function isRefused(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>, forgery: Forgery): Promise<boolean> {
  const { status } = await sendTicket(ticket, bytes, forgery)
  return status >= 400 && status < 500
}

/** The store's own word for why it refused. */
async function codeOf(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  return /<Code>(\w+)<\/Code>/.exec(await (await sendTicket(ticket, bytes)).text())?.[1]
}

function staged(ticket: Ticket) {
  return storedUnder(scene.service.store, `staging/acme/${ticket.id}`)
}

describe('a ticket, used to copy the document of another tenant', () => {
  /** Whatever the store said: the completion must not make a version of it. */
  async function comesToNothing(name: string, forge: (ticket: Ticket) => Forgery | Ticket): Promise<void> {
    const ticket = await ticketForSecret(name)
    const forged = forge(ticket)
    const sent = 'url' in forged ? await sendTicket(forged, own) : await sendTicket(ticket, own, forged)
    expect(sent.status).toBeLessThan(500)
    // Before completing, which would clean up.
    expect(await scene.harm()).toEqual([])
    const completed = await scene.mallory.complete(name, ticket)
    expect(await refusalOf(completed)).toBeOneOf(['422 digest_mismatch', '404 upload_not_found'])
    const read = await scene.mallory.call(`bundles/${name}/versions/${scene.secret.digest}`)
    expect(read.status).toBe(404)
  }

  it('copies nothing by the header x-amz-copy-source', () =>
    comesToNothing('copy-header', () => ({ headers: { 'x-amz-copy-source': scene.copySource } })))

  it('copies nothing by this header without its first slash, and percent-encoded', async () => {
    const { copySource } = scene
    await comesToNothing('copy-bare', () => ({ headers: { 'x-amz-copy-source': copySource.slice(1) } }))
    const encoded = encodeURIComponent(copySource)
    await comesToNothing('copy-encoded', () => ({ headers: { 'x-amz-copy-source': encoded } }))
  })

  it('copies nothing by a field x-amz-copy-source, before or after those of the ticket', async () => {
    const field: [string, string] = ['x-amz-copy-source', scene.copySource]
    await comesToNothing('copy-before', () => ({ fieldsBefore: [field] }))
    await comesToNothing('copy-after', () => ({ fieldsAfter: [field] }))
  })

  it('copies nothing by a parameter x-amz-copy-source of the address', () =>
    comesToNothing('copy-query', (ticket) => {
      const url = new URL(ticket.url)
      url.searchParams.set('x-amz-copy-source', scene.copySource)
      return { ...ticket, url: url.href }
    }))

  it('would copy with a presigned PUT on exactly those stores on which the probe found the hole', async () => {
    const signed = await scene.signer.put({
      ...{ key: 'docs/staging/acme/hole', size: 1, contentType, expiresInSeconds: 60 },
      sha256: digestOf(new Uint8Array(1)).slice('sha256:'.length),
    })
    const put = { method: 'PUT', url: signed.url, headers: { ...signed.headers } } as Ticket
    await sendTicket(put, new Uint8Array(1), { headers: { 'x-amz-copy-source': scene.copySource } })
    const found = await storedUnder(scene.service.store, 'staging/acme/hole')
    await scene.service.store.delete('staging/acme/hole')
    const stolen = found?.digest === scene.secret.digest
    expect(stolen).toBe(scene.copyHole)
    if (stolen) expect(scene.capabilities.ticketMethod).not.toBe('PUT')
  })
})

describe('a ticket to which something was added', () => {
  it('makes nothing public, by header or field', async () => {
    const byHeader = await ownTicket('acl-header')
    await sendTicket(byHeader, own, { headers: { 'x-amz-acl': 'public-read' } })
    expect(await scene.readAnonymously(`staging/acme/${byHeader.id}`)).toBeOneOf([403, 404])
    const byField = await ownTicket('acl-field')
    expect(await isRefused(byField, own, adding(byField, 'acl', 'public-read', 'x-amz-acl'))).toBe(true)
    const byGrant = await ownTicket('acl-grant')
    const everyone = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    await sendTicket(byGrant, own, { headers: { 'x-amz-grant-read': everyone } })
    expect(await scene.readAnonymously(`staging/acme/${byGrant.id}`)).toBeOneOf([403, 404])
    expect(await scene.readAnonymously(scene.secret.key.slice('docs/'.length))).toBeOneOf([403, 404])
  })

  it('is refused if the store would act on the addition', async () => {
    const refused = async (field: string, value: string, header?: string) => {
      const ticket = await ownTicket('added')
      const gone = await isRefused(ticket, own, adding(ticket, field, value, header))
      return gone && (await staged(ticket)) === null
    }
    expect(await refused('x-amz-meta-created-by', 'another subject')).toBe(true)
    expect(await refused('x-amz-storage-class', 'REDUCED_REDUNDANCY')).toBe(true)
    expect(await refused('x-amz-website-redirect-location', '/elsewhere')).toBe(true)
    expect(await refused('x-amz-tagging', 'a=b')).toBe(true)
  })

  it('redirects no client elsewhere', async () => {
    const ticket = await ownTicket('redirect')
    const forgery: Forgery = { fieldsAfter: [['success_action_redirect', 'http://127.0.0.1:9/']] }
    const sent = await sendTicket(ticket, own, forgery)
    // A PUT has no fields: its body is simply the bytes.
    expect(sent.headers.get('location')).not.toStartWith('http://127.0.0.1:9/')
    expect(sent.status).toBe(ticket.method === 'POST' ? 403 : 200)
  })

  it('changes no metadata: the version has what the service sets', async () => {
    const ticket = await ownTicket('metadata')
    const forged = { 'x-amz-meta-created-by': 'victor', 'x-amz-meta-created-at': '1999-01-01T00:00:00Z' }
    await sendTicket(ticket, own, { headers: forged })
    if ((await staged(ticket)) === null) await sendTicket(ticket, own)
    const completed = await scene.mallory.complete('metadata', ticket)
    expect(completed.status).toBe(201)
    const { createdBy, createdAt } = await jsonOf(completed)
    expect({ createdBy, year: String(createdAt).slice(0, 4) }).toEqual({
      createdBy: 'mallory',
      year: String(new Date().getUTCFullYear()),
    })
    const read = await jsonOf(await scene.mallory.call('bundles/metadata/versions'))
    expect(read.versions).toMatchObject([{ createdBy: 'mallory', createdAt }])
  })
})

describe('a ticket that was changed', () => {
  /** The ticket for another key. */
  function elsewhere(ticket: Ticket, key: string): Ticket {
    if (ticket.method === 'POST') return { ...ticket, fields: { ...ticket.fields, key } }
    return { ...ticket, url: ticket.url.replace(`docs/staging/acme/${ticket.id}`, key) }
  }

  it('writes to no other key: no version, no record, no staging of others, nothing outside the documents', async () => {
    const refused = async (key: string) => {
      const ticket = await ownTicket('other-key')
      return isRefused(elsewhere(ticket, key), own, {})
    }
    expect(await refused(scene.secret.key)).toBe(true)
    expect(await refused(`docs/${keyOf('bundles', 'other-key', digestOf(own))}`)).toBe(true)
    expect(await refused('docs/tenants/globex/records/bundles/secret')).toBe(true)
    expect(await refused('docs/staging/globex/0123456789abcdef0123456789abcdef')).toBe(true)
    expect(await refused('elsewhere')).toBe(true)
    const ticket = await ownTicket('longer-key')
    const longer = `docs/staging/acme/${ticket.id}/more`
    expect(await isRefused(elsewhere(ticket, longer), own, {})).toBe(true)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3 puts the file's name in its place.
    expect(await refused('docs/staging/acme/${filename}')).toBe(true)
  })

  it('writes to no other key either, if the form has two', async () => {
    const key: [string, string] = ['key', scene.secret.key]
    const before = await ownTicket('two-keys')
    await sendTicket(before, own, { fieldsBefore: [key] })
    expect(await scene.harm()).toEqual([])
    const after = await ownTicket('two-keys')
    await sendTicket(after, own, { fieldsAfter: [key] })
    expect(await scene.harm()).toEqual([])
    const cased = await ownTicket('two-keys')
    await sendTicket(cased, own, { fieldsAfter: [['Key', scene.secret.key]] })
  })

  it('uploads no other size', async () => {
    const [shorter, longer] = [own.slice(1), new Uint8Array(Buffer.concat([own, new Uint8Array(1)]))]
    const ticket = await ownTicket('size')
    // Not for the digest alone, which some stores do not look at.
    const codes = ticket.method === 'POST' ? ['EntityTooSmall', 'EntityTooLarge'] : ['SignatureDoesNotMatch']
    expect(await codeOf(ticket, shorter)).toBe(codes[0])
    expect(await codeOf(ticket, longer)).toBe(codes.at(-1))
    expect(await codeOf(ticket, new Uint8Array())).toBe(codes[0])
    expect(await staged(ticket)).toBeNull()
    expect(await refusalOf(await scene.mallory.complete('size', ticket))).toBe('404 upload_not_found')
  })

  it('uploads no other type', async () => {
    const ticket = await ownTicket('type')
    const page = { 'Content-Type': 'text/html' }
    const forgery = ticket.method === 'POST' ? { fields: page } : { headers: { 'content-type': 'text/html' } }
    expect(await isRefused(ticket, own, forgery)).toBe(true)
    expect(await staged(ticket)).toBeNull()
    const twice = await ownTicket('type')
    await sendTicket(twice, own, { fieldsAfter: [['Content-Type', 'text/html']] })
    await sendTicket(twice, own, { fieldsBefore: [['Content-Type', 'text/html']] })
    if ((await staged(twice)) === null) await sendTicket(twice, own)
    expect(await jsonOf(await scene.mallory.complete('type', twice))).toMatchObject({ contentType })
  })

  it('publishes no other bytes', async () => {
    const other = randomDocument(own.length)
    const ticket = await ownTicket('bytes')
    const sent = await sendTicket(ticket, other)
    if (scene.capabilities.digestEnforced) expect(sent.status).toBe(400)
    const refusal = await refusalOf(await scene.mallory.complete('bytes', ticket))
    expect(refusal).toBe(scene.capabilities.digestEnforced ? '404 upload_not_found' : '422 digest_mismatch')
    expect((await scene.mallory.call('bundles/bytes')).status).toBe(404)
  })

  it('publishes no other bytes either, with the digest changed, left out or given twice', async () => {
    const other = randomDocument(own.length)
    const checksum = Buffer.from(digestOf(other).slice('sha256:'.length), 'hex').toString('base64')
    const attempt = async (name: string, forgery: Forgery) => {
      const ticket = await ownTicket(name)
      await sendTicket(ticket, other, forgery)
      return refusalOf(await scene.mallory.complete(name, ticket))
    }
    const refusals = [
      await attempt('digest-changed', {
        fields: { 'x-amz-checksum-sha256': checksum },
        headers: { 'x-amz-checksum-sha256': checksum },
      }),
      await attempt('digest-left-out', {
        fields: { 'x-amz-checksum-sha256': null, 'x-amz-checksum-algorithm': null },
      }),
      await attempt('digest-twice', { fieldsAfter: [['x-amz-checksum-sha256', checksum]] }),
      await attempt('digest-twice-before', { fieldsBefore: [['x-amz-checksum-sha256', checksum]] }),
    ]
    for (const refusal of refusals) {
      expect(refusal).toBeOneOf(['422 digest_mismatch', '404 upload_not_found'])
    }
  })

  it('is refused with another policy or signature', async () => {
    const ticket = await ownTicket('policy')
    if (ticket.method === 'PUT') {
      const later = ticket.url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=86400')
      expect(await isRefused({ ...ticket, url: later }, own, {})).toBe(true)
      return
    }
    const policy = JSON.parse(Buffer.from(ticket.fields.Policy ?? '', 'base64').toString())
    const later = { ...policy, expiration: new Date(Date.now() + 86_400_000).toISOString() }
    const forged = Buffer.from(JSON.stringify(later)).toString('base64')
    expect(await isRefused(ticket, own, { fields: { Policy: forged } })).toBe(true)
    expect(await isRefused(ticket, own, { fields: { Policy: null } })).toBe(true)
    expect(await isRefused(ticket, own, { fields: { 'X-Amz-Signature': null } })).toBe(true)
    expect(await isRefused(ticket, own, { fields: { 'X-Amz-Signature': '0'.repeat(64) } })).toBe(true)
    expect(await staged(ticket)).toBeNull()
  })
})

describe('a ticket that has expired', () => {
  it('uploads nothing after its expiry', async () => {
    const common = { id: '', ticket: '', expiresAt: '', completeBefore: '' }
    const refusedAfter = async (seconds: number, expiresInSeconds: number) => {
      const signer = signerAgo(seconds)
      const upload = {
        ...{ key: 'docs/staging/acme/expired', size: own.length, contentType, expiresInSeconds },
        sha256: digestOf(own).slice('sha256:'.length),
      }
      const form = await signer.postForm(upload)
      const put = await signer.put(upload)
      signer.close()
      const byForm: Ticket = { ...common, method: 'POST', url: form.url, fields: { ...form.fields } }
      const byPut: Ticket = { ...common, method: 'PUT', url: put.url, headers: { ...put.headers } }
      return [await isRefused(byForm, own, {}), await isRefused(byPut, own, {})]
    }
    expect(await refusedAfter(120, 60)).toEqual([true, true])
    expect(await storedUnder(scene.service.store, 'staging/acme/expired')).toBeNull()
    // The same in time.
    expect(await refusedAfter(120, 300)).toEqual([false, false])
    await scene.service.store.delete('staging/acme/expired')
  })

  function signerAgo(seconds: number) {
    const { connection } = scene.service
    return createS3TransferSigner(
      { ...connection, connectionsMax: 1, publicEndpoint: connection.endpoint },
      () => new Date(Date.now() - seconds * 1000),
    )
  }

  it('changes no published version when it is used again', async () => {
    const ticket = await scene.mallory.uploaded('replayed', own)
    expect((await scene.mallory.complete('replayed', ticket)).status).toBe(201)
    await scene.remember()
    await sendTicket(ticket, randomDocument(own.length))
    expect(await scene.harm()).toEqual([])
    expect((await scene.mallory.complete('replayed', ticket)).status).toBeOneOf([200, 422])
    await sendTicket(ticket, own)
    expect((await scene.mallory.complete('replayed', ticket)).status).toBe(200)
    expect(await staged(ticket)).toBeNull()
  })

  it('cannot be used to read or remove what was uploaded', async () => {
    const ticket = await scene.mallory.uploaded('other-methods', own)
    const by = async (method: string) => {
      const { pathname, search, origin } = new URL(ticket.url)
      const path = ticket.method === 'PUT' ? pathname : `${pathname}/docs/staging/acme/${ticket.id}`
      const response = await fetch(`${origin}${path}${search}`, { method })
      await response.body?.cancel()
      return response.status
    }
    expect(await by('GET')).toBe(403)
    expect(await by('HEAD')).toBe(403)
    expect(await by('DELETE')).toBe(403)
    expect(await staged(ticket)).toEqual({ digest: digestOf(own), size: own.length })
  })
})
