import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { deriveKey } from '../../../service/derived-key.ts'
import { createTicketSigner, type UploadClaims } from '../../../service/documents/ticket-signer.ts'
import { attackScene } from '../../support/service/attack-scene.ts'
import { type Caller, refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, pathOf, randomDocument } from '../../support/service/sample-documents.ts'
import { contentType, jsonBody, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'

setDefaultTimeout(600_000)

const scene = stoppedAfterTests(await attackScene())

afterEach(async () => {
  expect(await scene.harm()).toEqual([])
})

/** An upload of the victim's that waits in staging; its id and ticket have leaked. */
async function leaked(name: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; ticket: Ticket }> {
  const bytes = randomDocument(KiB)
  const body = { digest: digestOf(bytes), size: bytes.length, contentType }
  const path = `${pathOf('bundles', name, 'globex')}/uploads`
  const answer = await scene.victim.call(path, { method: 'POST', ...jsonBody(body) })
  const ticket = (await answer.json()) as Ticket
  expect((await sendTicket(ticket, bytes)).ok).toBe(true)
  return { bytes, ticket }
}

async function complete(call: Caller, path: string, id: string, ticket: string): Promise<Response> {
  return call(`${path}/uploads/${id}/complete`, { method: 'POST', ...jsonBody({ ticket }) })
}

function statusOfVersion(call: Caller, path: string, bytes: Uint8Array): Promise<number> {
  return call(`${path}/versions/${digestOf(bytes)}`, { method: 'HEAD' }).then(({ status }) => status)
}

describe('the upload of another tenant', () => {
  it('cannot be completed there by someone who is not in that tenant', async () => {
    const path = pathOf('bundles', 'leaked', 'globex')
    const { bytes, ticket } = await leaked('leaked')
    const response = await complete(scene.mallory.call, path, ticket.id, ticket.ticket)
    expect(await refusalOf(response)).toBe('404 document_not_found')
    expect(await statusOfVersion(scene.victim.call, path, bytes)).toBe(404)
    expect((await complete(scene.victim.call, path, ticket.id, ticket.ticket)).status).toBe(201)
  })

  it('cannot be completed into one’s own tenant', async () => {
    const { bytes, ticket } = await leaked('into-own')
    const own = pathOf('bundles', 'into-own', 'acme')
    const response = await complete(scene.mallory.call, own, ticket.id, ticket.ticket)
    expect(await refusalOf(response)).toBe('422 ticket_invalid')
    expect(await statusOfVersion(scene.mallory.call, own, bytes)).toBe(404)
  })

  it('cannot be completed by another subject of both tenants, under any address', async () => {
    const { bytes, ticket } = await leaked('both')
    const token = await scene.service.token({ sub: 'mallory', tenants: ['acme', 'globex'] })
    const { call } = await ticketCalls(scene.service, token)
    const [theirs, own] = [pathOf('bundles', 'both', 'globex'), pathOf('bundles', 'both', 'acme')]
    const refusal = async (path: string) => refusalOf(await complete(call, path, ticket.id, ticket.ticket))
    expect(await refusal(theirs)).toBe('422 ticket_invalid')
    expect(await refusal(own)).toBe('422 ticket_invalid')
    expect(await statusOfVersion(call, theirs, bytes)).toBe(404)
  })
})

describe('a forged ticket', () => {
  /** Claims that would publish the victim's document, or what it staged, in the attacker's tenant. */
  function claimsOver(stagingKey: string, digest = scene.secret.digest): UploadClaims {
    return {
      ...{ id: 'f'.repeat(32), tenant: 'acme', type: 'bundles', name: 'forged', digest: digest as never },
      ...{ size: scene.secret.bytes.length, contentType, stagingKey, subject: 'mallory' },
      admittedAtMs: Date.now(),
    }
  }

  async function refusalOfForged(ticket: string): Promise<string> {
    const path = pathOf('bundles', 'forged')
    return refusalOf(await complete(scene.mallory.call, path, 'f'.repeat(32), ticket))
  }

  it('is refused with every key that it can be signed with', async () => {
    const claims = claimsOver(scene.secret.key.slice('docs/'.length))
    const soon = new Date(Date.now() + 60_000)
    const keys = [
      new Uint8Array(32),
      new TextEncoder().encode(scene.service.connection.accessKeyId.padEnd(32, '0')),
      crypto.getRandomValues(new Uint8Array(32)),
      deriveKey(scene.service.connection.secretAccessKey, 'documents/cursor/v1'),
    ]
    const refusals: string[] = []
    for (const key of keys) {
      refusals.push(await refusalOfForged(await createTicketSigner([key]).seal(claims, soon)))
    }
    expect(new Set(refusals)).toEqual(new Set(['422 ticket_invalid']))
  })

  it('is refused without a signature, and with the signature of another', async () => {
    const genuine = await scene.mallory.ticketFor('forged', randomDocument(KiB))
    const [, , signature = ''] = genuine.ticket.split('.')
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const exp = Math.floor(Date.now() / 1000) + 60
    const payload = encode({ upload: claimsOver(scene.secret.key.slice('docs/'.length)), exp })
    const head = (alg: string) => encode({ alg, typ: 'upload-ticket+jwt' })
    expect(await refusalOfForged(`${head('none')}.${payload}.`)).toBe('422 ticket_invalid')
    expect(await refusalOfForged(`${head('HS256')}.${payload}.`)).toBe('422 ticket_invalid')
    expect(await refusalOfForged(`${head('HS256')}.${payload}.${signature}`)).toBe('422 ticket_invalid')
    expect(await refusalOfForged(`${head('HS512')}.${payload}.${signature}`)).toBe('422 ticket_invalid')
  })

  it('is refused if it is a token of another kind: a bearer token, a cursor', async () => {
    expect(await refusalOfForged(await scene.service.token({ sub: 'mallory' }))).toBe('422 ticket_invalid')
    await scene.mallory.call('bundles/forged', { method: 'PUT', body: 'a' })
    await scene.mallory.call('bundles/forged-2', { method: 'PUT', body: 'b' })
    const { nextCursor } = (await (await scene.mallory.call('?limit=1')).json()) as { nextCursor: string }
    expect(nextCursor).toBeString()
    expect(await refusalOfForged(nextCursor)).toBe('422 ticket_invalid')
  })
})
