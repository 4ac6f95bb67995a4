import { describe, expect, it } from 'bun:test'
import { ConnectionError, ProblemError, StoreError } from '../../../../service/client/errors.ts'
import { isPreviewable, previewBytesMax, previewText } from '../../../../service/ui/document/preview-text.ts'
import { failureOf } from '../../../../service/ui/failures/failure.ts'
import { byteSize } from '../../../../service/ui/parts/byte-size.ts'
import { shortDigest } from '../../../../service/ui/parts/digest.tsx'
import { IssuerRefusal, IssuerSilence } from '../../../../service/ui/session/issuer.ts'
import { issuerFailure } from '../../../../service/ui/session/issuer-failure.ts'
import {
  contentTypeOf,
  isDocumentName,
  nearestDocumentName,
} from '../../../../service/ui/transfers/document-of-file.ts'

const ids = { correlationId: 'c', traceId: '0af7651916cd43dd8448eb211c80319c' }
const bytes = (text: string) => new TextEncoder().encode(text)

function problem(code: string, status: number, extensions: Record<string, unknown> = {}): ProblemError {
  const given = { code, status, title: 'A title', detail: 'A detail.', retryAfterSeconds: null, extensions }
  return new ProblemError(given, ids)
}

describe('failureOf', () => {
  it('shows what the service said, with the trace, and what to do', () => {
    const failure = failureOf(problem('busy', 503))
    expect(failure).toMatchObject({
      title: 'A title',
      detail: 'A detail.',
      status: 503,
      traceId: ids.traceId,
    })
    expect(failure.advice).toBe('Try again in a few seconds.')
  })

  it('says of a tag that has moved what that means, instead of the words of the protocol', () => {
    const failure = failureOf(problem('precondition_failed', 412))
    expect(failure.title).toBe('The tag is not where it was')
    expect(failure.advice).toContain('See where it is now, and try again')
  })

  it('names the scope that is missing', () => {
    const failure = failureOf(problem('scope_missing', 403, { scope: 'documents:admin' }))
    expect(failure.missingScope).toBe('documents:admin')
  })

  it('tells the service from the store, where there was no answer', () => {
    expect(failureOf(new ConnectionError('https://a', 'unknown', ids)).title).toContain('service')
    const refused = { status: 403, reason: 'AccessDenied', retryAfterSeconds: null }
    expect(failureOf(new StoreError('https://s', refused, ids)).title).toContain('store')
  })

  it('says what to do about a file that changed after it was chosen', () => {
    expect(failureOf(new DOMException('', 'NotReadableError'))).toMatchObject({
      code: 'file_unreadable',
      advice: 'Choose the file again.',
      traceId: null,
    })
  })

  it('is a failure for whatever is thrown', () => {
    expect(failureOf('nonsense').title).toBe('Something went wrong in this page')
  })
})

describe('issuerFailure', () => {
  it('tells what to do about a link that was used before', () => {
    expect(issuerFailure(new IssuerRefusal('invalid_grant')).advice).toContain('works once')
  })

  it('tells an issuer that does not answer from one that refuses', () => {
    expect(issuerFailure(new IssuerSilence('x')).code).toBe('issuer_silent')
    expect(issuerFailure(new IssuerRefusal('access_denied')).title).toBe('Access was denied')
    expect(issuerFailure(new IssuerRefusal('strange')).detail).toContain('strange')
  })
})

describe('previewText', () => {
  it('indents JSON, and keeps it as it is stored', () => {
    const text = previewText(bytes('{"a":[1]}'), 'application/json; charset=utf-8')
    expect(text.pretty).toBe('{\n  "a": [\n    1\n  ]\n}')
    expect(text.raw).toBe('{"a":[1]}')
  })

  it('shows JSON as it is, with every digit, member and escape', () => {
    const raw = '{"id":12345678901234567890,"a":1.0,"a":[],"b":{},"c":"x, \\"y\\": {\\u00e9"}'
    expect(previewText(bytes(raw), 'application/json').pretty).toBe(
      [
        '{',
        '  "id": 12345678901234567890,',
        '  "a": 1.0,',
        '  "a": [],',
        '  "b": {},',
        '  "c": "x, \\"y\\": {\\u00e9"',
        '}',
      ].join('\n'),
    )
    expect(previewText(bytes(' [ 1 , [ ] ,\r\n{ "a" : null } ] '), 'application/json').pretty).toBe(
      '[\n  1,\n  [],\n  {\n    "a": null\n  }\n]',
    )
  })

  it('says what is wrong with JSON that is none', () => {
    const text = previewText(bytes('{"a":'), 'application/json')
    expect(text.pretty).toBeNull()
    expect(text.jsonError).not.toBe('')
    expect(text.jsonError).not.toBeNull()
  })

  it('says that bytes are no UTF-8', () => {
    expect(previewText(new Uint8Array([0x61, 0xff]), 'text/plain')).toMatchObject({
      raw: 'a\ufffd',
      hasBadBytes: true,
    })
    expect(previewText(bytes('é'), 'text/plain').hasBadBytes).toBe(false)
  })

  it('leaves other text alone', () => {
    expect(previewText(bytes('a: 1'), 'application/yaml')).toMatchObject({ raw: 'a: 1', pretty: null })
  })
})

describe('isPreviewable', () => {
  it('is so for small text', () => {
    expect(isPreviewable({ contentType: 'text/html; charset=utf-8', size: previewBytesMax })).toBe(true)
    expect(isPreviewable({ contentType: 'application/vnd.api+json', size: 1 })).toBe(true)
    expect(isPreviewable({ contentType: 'application/x-yaml', size: 1 })).toBe(true)
  })

  it('is not so for large text and for other types', () => {
    expect(isPreviewable({ contentType: 'text/plain', size: previewBytesMax + 1 })).toBe(false)
    expect(isPreviewable({ contentType: 'application/octet-stream', size: 1 })).toBe(false)
    expect(isPreviewable({ contentType: 'image/svg+xml', size: 1 })).toBe(false)
  })
})

describe('the name of a document', () => {
  it('is a file’s own where it has the form', () => {
    expect(isDocumentName('orders-api.tgz')).toBe(true)
    expect(isDocumentName('Réport (1).pdf')).toBe(false)
  })

  it('is the nearest one where it has not', () => {
    expect(nearestDocumentName('Réport (1).pdf')).toBe('Report-1.pdf')
    expect(nearestDocumentName('.env')).toBe('env')
    expect(nearestDocumentName(`${'a'.repeat(200)}.tgz`)).toBe(`${'a'.repeat(124)}.tgz`)
  })

  it('is nothing where no character can stay', () => {
    expect(nearestDocumentName('日本')).toBeNull()
  })
})

describe('contentTypeOf', () => {
  it('is what the browser states, otherwise what the name says, otherwise bytes', () => {
    expect(contentTypeOf({ name: 'a.json', type: 'application/json' })).toBe('application/json')
    expect(contentTypeOf({ name: 'a.YAML', type: '' })).toBe('application/yaml')
    expect(contentTypeOf({ name: 'a.unheard-of', type: '' })).toBe('application/octet-stream')
    expect(contentTypeOf({ name: 'README', type: '' })).toBe('application/octet-stream')
  })
})

describe('sizes and digests', () => {
  it('are short', () => {
    expect([0, 999, 1000, 9940, 9960, 52_428_800, 999_500_000, 5.4e9].map(byteSize)).toEqual([
      ...['0 B', '999 B', '1.0 kB', '9.9 kB', '10 kB', '52 MB', '1.0 GB', '5.4 GB'],
    ])
    expect(shortDigest(`sha256:0123456789abcdef${'0'.repeat(48)}`)).toBe('0123456789ab')
  })
})
