/** An upload ticket as the API gives it (ARCHITECTURE.md, "The API"). */
export type Ticket = {
  id: string
  ticket: string
  url: string
  expiresAt: string
  completeBefore: string
} & ({ method: 'POST'; fields: Record<string, string> } | { method: 'PUT'; headers: Record<string, string> })

/** What a forger adds to a ticket or replaces in it. */
export interface Forgery {
  /** Form fields before and after those of the ticket, in this order; names may repeat. */
  fieldsBefore?: readonly [string, string][]
  fieldsAfter?: readonly [string, string][]
  /** Fields of the ticket that are replaced, or left out if `null`. */
  fields?: Readonly<Record<string, string | null>>
  headers?: Readonly<Record<string, string>>
  /** For a store with a private certificate authority (PEM). */
  ca?: string | undefined
}

/** Sends the bytes of a ticket to the store as the ticket says, except for the forgery, and reads the answer. */
export async function sendTicket(
  ticket: Ticket,
  bytes: Uint8Array<ArrayBuffer>,
  forgery: Forgery = {},
): Promise<Response> {
  const tls = forgery.ca === undefined ? {} : { tls: { ca: forgery.ca } }
  const response = await fetch(ticket.url, {
    method: ticket.method,
    redirect: 'manual',
    ...tls,
    ...(ticket.method === 'POST'
      ? formOf(ticket.fields, bytes, forgery)
      : putOf(ticket.headers, bytes, forgery)),
  })
  return new Response(await response.text(), { status: statusOf(response), headers: response.headers })
}

/** Statuses with which a Response cannot be created with a body, not even an empty one. */
function statusOf({ status }: Response): number {
  return status === 204 ? 200 : status
}

function formOf(
  signed: Readonly<Record<string, string>>,
  bytes: Uint8Array<ArrayBuffer>,
  { fieldsBefore = [], fields = {}, fieldsAfter = [], headers = {} }: Forgery,
): RequestInit {
  const form = new FormData()
  for (const [name, value] of fieldsBefore) form.append(name, value)
  for (const [name, value] of Object.entries({ ...signed, ...fields })) {
    if (value !== null) form.append(name, value)
  }
  for (const [name, value] of fieldsAfter) form.append(name, value)
  form.append('file', new Blob([bytes]))
  return { body: form, headers }
}

function putOf(
  signed: Readonly<Record<string, string>>,
  bytes: Uint8Array<ArrayBuffer>,
  { headers }: Forgery,
): RequestInit {
  // The body determines Content-Length.
  const { 'content-length': _, ...given } = signed
  return { body: bytes, headers: { ...given, ...headers } }
}

/** Returns what precedes and follows the bytes in a ticket's form, for an upload that is streamed (RFC 7578). */
export function formAround(fields: Readonly<Record<string, string>>): {
  contentType: string
  before: Buffer
  after: Buffer
} {
  const boundary = `----${crypto.randomUUID()}`
  const part = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
  const signed = Object.entries(fields).map(([name, value]) => `${part(name)}${value}\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    before: Buffer.from(`${signed.join('')}${part('file', '; filename="file"')}`),
    after: Buffer.from(`\r\n--${boundary}--\r\n`),
  }
}
