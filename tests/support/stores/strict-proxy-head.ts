import type { Socket } from 'node:net'

/** Start line and headers of an HTTP/1.1 message (RFC 9112 section 2.1), in their order and spelling. */
export interface MessageHead {
  startLine: string
  headers: [name: string, value: string][]
}

/** More than any client or store sends; beyond it the connection is closed. */
const headBytesMax = 64 * 1024
const endOfHead = '\r\n\r\n'

/**
 * Reads one head from `socket` and leaves it paused before the body.
 *
 * @returns `null` if the peer disconnected first, or never ends its head.
 */
export function readHead(socket: Socket): Promise<MessageHead | null> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0)
    const settle = (head: MessageHead | null) => {
      socket.off('data', onData).off('end', onGone).off('close', onGone)
      resolve(head)
    }
    const onGone = () => settle(null)
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk])
      const end = seen.indexOf(endOfHead)
      if (end < 0 && seen.length < headBytesMax) return
      socket.pause()
      const body = seen.subarray(end + endOfHead.length)
      if (end >= 0 && body.length > 0) socket.unshift(body)
      settle(end < 0 ? null : parseHead(seen.toString('latin1', 0, end)))
    }
    socket.on('data', onData).on('end', onGone).on('close', onGone)
    socket.resume()
  })
}

/** Writes the head as it goes over the wire, with the empty line after it. */
export function headBytes({ startLine, headers }: MessageHead): Buffer {
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.from(lines.join('\r\n') + endOfHead, 'latin1')
}

/** Returns the value of the first header of that name (lower case), if there is one. */
export function headerOf(head: MessageHead, name: string): string | undefined {
  return head.headers.find(([each]) => each.toLowerCase() === name)?.[1]
}

/** Returns the same head without the headers named (lower case). */
export function withoutHeaders(head: MessageHead, names: Iterable<string>): MessageHead {
  const dropped = new Set(names)
  return { ...head, headers: head.headers.filter(([name]) => !dropped.has(name.toLowerCase())) }
}

/** Returns method, path as sent, and decoded query of a request. */
export function requestTarget(head: MessageHead): {
  method: string
  path: string
  query: Record<string, string>
} {
  const [method = '', target = ''] = head.startLine.split(' ')
  const [path = '', search = ''] = target.split(/\?(.*)/s)
  const pairs = search === '' ? [] : search.split('&').map((pair) => pair.split(/=(.*)/s))
  const query = pairs.map(([name = '', value = '']) => [decodeURIComponent(name), decodeURIComponent(value)])
  return { method, path, query: Object.fromEntries(query) }
}

/**
 * Returns the header names (lower case) that a request's signature claims to cover, in `Authorization` or in its query;
 * nothing here verifies it.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 *
 * @returns `null` for a request without a signature: an anonymous one, or a form that carries its own.
 */
export function signedHeaders(head: MessageHead): string[] | null {
  const authorization = headerOf(head, 'authorization') ?? ''
  const inHeader = /SignedHeaders=([^,\s]+)/.exec(authorization)?.[1]
  const signed = inHeader ?? requestTarget(head).query['X-Amz-SignedHeaders']
  return signed?.split(';') ?? null
}

function parseHead(text: string): MessageHead {
  const [startLine = '', ...lines] = text.split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  return { startLine, headers }
}
