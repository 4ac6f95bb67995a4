import type { ListedObject, ListPage } from '../object-store.ts'

/**
 * Reads the body of ListObjectsV2 (asked for with `encoding-type=url`). The SDK's general XML parser takes
 * longer for a thousand keys than the store takes to list them; the format is flat, so a scan suffices.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * @throws {SyntaxError} if the text is not a whole ListBucketResult.
 */
export function parseListPage(xml: string): ListPage {
  const end = xml.lastIndexOf('</ListBucketResult>')
  if (end < 0 || !xml.includes('<ListBucketResult')) throw new SyntaxError('not a ListBucketResult')
  const objects: ListedObject[] = []
  let at = xml.indexOf(openContents)
  const firstContents = at
  while (at >= 0) {
    const close = xml.indexOf('</Contents>', at)
    if (close < 0) throw new SyntaxError('a Contents element does not end')
    objects.push(parseContents(xml.slice(at + openContents.length, close)))
    at = xml.indexOf(openContents, close)
  }
  const head =
    firstContents < 0 ? xml : xml.slice(0, firstContents) + xml.slice(xml.lastIndexOf('</Contents>'))
  return { objects, truncated: elementText(head, 'IsTruncated') === 'true' }
}

const openContents = '<Contents>'

function parseContents(xml: string): ListedObject {
  return {
    // RGW leaves an apostrophe out of the URL encoding, and escapes it as XML does.
    key: decodeURIComponent(decodeEntities(requiredText(xml, 'Key')).replaceAll('+', ' ')),
    size: Number(requiredText(xml, 'Size')),
    etag: unquote(decodeEntities(requiredText(xml, 'ETag'))),
    lastModified: new Date(requiredText(xml, 'LastModified')),
  }
}

function requiredText(xml: string, element: string): string {
  const text = elementText(xml, element)
  if (text === null) throw new SyntaxError(`a Contents element has no ${element}`)
  return text
}

function elementText(xml: string, element: string): string | null {
  const open = `<${element}>`
  const start = xml.indexOf(open)
  if (start < 0) return null
  const end = xml.indexOf('</', start)
  return end < 0 ? null : xml.slice(start + open.length, end)
}

const namedEntities: Record<string, string> = { amp: '&', apos: "'", gt: '>', lt: '<', quot: '"' }

/** XML 1.0 sections 4.1 and 4.6: character references and the five predefined entities, each decoded once. */
function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d+)|#x([0-9A-Fa-f]+)|(\w+));/g, (reference, decimal, hex, name) => {
    if (name !== undefined) return namedEntities[name] ?? reference
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
  })
}

/** The port's ETags carry no quotes. */
export function unquote(etag: string): string {
  return etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag
}
