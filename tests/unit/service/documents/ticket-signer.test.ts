import { describe, expect, it } from 'bun:test'
import { jwtVerify, SignJWT } from 'jose'
import { deriveKey } from '../../../../service/derived-key.ts'
import { createTicketSigner, type UploadClaims } from '../../../../service/documents/ticket-signer.ts'

const key = new Uint8Array(32).fill(1)
const claims: UploadClaims = {
  id: '0123456789abcdef0123456789abcdef',
  tenant: 'acme',
  type: 'bundles',
  name: 'orders.tgz',
  digest: `sha256:${'a'.repeat(64)}`,
  size: 5,
  contentType: 'text/plain',
  stagingKey: 'staging/acme/0123456789abcdef0123456789abcdef',
  subject: 'alice',
  admittedAtMs: 1_700_000_000_000,
}
const noon = new Date('2026-11-23T12:00:00Z')
const one = new Date('2026-11-23T13:00:00Z')
const invalid = { code: 'ticket_invalid' }

function ticketsAt(now: Date, withKey = key) {
  return createTicketSigner([withKey], () => now)
}

function signed(payload: Record<string, unknown>, header: { alg: string; typ?: string }, withKey = key) {
  return new SignJWT(payload).setProtectedHeader(header).setExpirationTime(one).sign(withKey)
}

describe('an upload ticket', () => {
  it('opens to what was sealed in it, on every replica that has the key', async () => {
    const ticket = await ticketsAt(noon).seal(claims, one)
    expect(await ticketsAt(noon).open(ticket)).toEqual(claims)
  })

  it('is a compact JWS of three parts, with a type of its own and its expiry', async () => {
    const ticket = await ticketsAt(noon).seal(claims, one)
    const { protectedHeader, payload } = await jwtVerify(ticket, key, { currentDate: noon })
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'upload-ticket+jwt' })
    expect(payload.exp).toBe(one.getTime() / 1000)
  })

  it('is good until its time, and expired after it', async () => {
    const ticket = await ticketsAt(noon).seal(claims, one)
    expect(await ticketsAt(new Date(one.getTime() - 1000)).open(ticket)).toEqual(claims)
    await expect(ticketsAt(one).open(ticket)).rejects.toMatchObject({ code: 'upload_expired' })
    await expect(ticketsAt(new Date(one.getTime() + 1000)).open(ticket)).rejects.toMatchObject({
      code: 'upload_expired',
    })
  })

  it('does not open with another key, expired or not', async () => {
    const ticket = await ticketsAt(noon).seal(claims, one)
    const other = new Uint8Array(32).fill(2)
    await expect(ticketsAt(noon, other).open(ticket)).rejects.toMatchObject(invalid)
    await expect(ticketsAt(new Date(one.getTime() + 1000), other).open(ticket)).rejects.toMatchObject(invalid)
  })

  it('opens if any key of the replica has signed it, so that keys can rotate; the first one signs', async () => {
    const fresh = new Uint8Array(32).fill(2)
    const during = createTicketSigner([key, fresh], () => noon)
    const after = createTicketSigner([fresh, key], () => noon)
    for (const replica of [ticketsAt(noon), during, after]) {
      const ticket = await replica.seal(claims, one)
      expect([await during.open(ticket), await after.open(ticket)]).toEqual([claims, claims])
    }
    await expect(ticketsAt(noon).open(await after.seal(claims, one))).rejects.toMatchObject(invalid)
    const expired = createTicketSigner([fresh, key], () => one)
    await expect(expired.open(await ticketsAt(noon).seal(claims, one))).rejects.toMatchObject({
      code: 'upload_expired',
    })
  })

  it('does not open when it is signed in another way or for another purpose', async () => {
    const upload = { upload: claims }
    const open = async (ticket: Promise<string>) => ticketsAt(noon).open(await ticket)
    const typ = 'upload-ticket+jwt'
    expect(await open(signed(upload, { alg: 'HS256', typ }))).toEqual(claims)
    await expect(
      open(signed(upload, { alg: 'HS512', typ }, new Uint8Array(64).fill(1))),
    ).rejects.toMatchObject(invalid)
    await expect(open(signed(upload, { alg: 'HS256', typ: 'at+jwt' }))).rejects.toMatchObject(invalid)
    await expect(open(signed(upload, { alg: 'HS256' }))).rejects.toMatchObject(invalid)
  })

  it('does not open without an expiry', async () => {
    const header = { alg: 'HS256', typ: 'upload-ticket+jwt' }
    const endless = await new SignJWT({ upload: claims }).setProtectedHeader(header).sign(key)
    await expect(ticketsAt(noon).open(endless)).rejects.toMatchObject(invalid)
  })

  it('does not open to claims of another form', async () => {
    const open = async (upload: unknown) =>
      ticketsAt(noon).open(await signed({ upload }, { alg: 'HS256', typ: 'upload-ticket+jwt' }))
    await expect(open(undefined)).rejects.toMatchObject(invalid)
    await expect(open({ ...claims, size: -1 })).rejects.toMatchObject(invalid)
    await expect(open({ ...claims, size: '5' })).rejects.toMatchObject(invalid)
    await expect(open({ ...claims, digest: 'sha256:' })).rejects.toMatchObject(invalid)
    await expect(open({ ...claims, id: '../../tenants' })).rejects.toMatchObject(invalid)
    await expect(open({ ...claims, stagingKey: undefined })).rejects.toMatchObject(invalid)
  })

  it('does not open from text that is none', async () => {
    const open = (ticket: string) => ticketsAt(noon).open(ticket)
    await expect(open('')).rejects.toMatchObject(invalid)
    await expect(open('a')).rejects.toMatchObject(invalid)
    await expect(open('a.b.c')).rejects.toMatchObject(invalid)
    await expect(open('..')).rejects.toMatchObject(invalid)
    await expect(open('e30.e30.')).rejects.toMatchObject(invalid)
    await expect(open('\u0000.é.🙂')).rejects.toMatchObject(invalid)
  })
})

describe('the key of upload tickets', () => {
  it('is the same for the same secret, another for another one, and none that is used for something else', () => {
    const hex = (secret: string, purpose: Parameters<typeof deriveKey>[1]) =>
      Buffer.from(deriveKey(secret, purpose)).toString('hex')
    expect(hex('a secret', 'documents/ticket/v1')).toBe(hex('a secret', 'documents/ticket/v1'))
    expect(hex('a secret', 'documents/ticket/v1')).not.toBe(hex('b secret', 'documents/ticket/v1'))
    expect(hex('a secret', 'documents/ticket/v1')).not.toBe(hex('a secret', 'documents/cursor/v1'))
  })
})
