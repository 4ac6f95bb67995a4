import { describe, expect, it } from 'bun:test'
import { crc32c } from '../../../../../observability/proof/formats/crc32c.ts'
import { LokiChunkError, readLokiChunk } from '../../../../../observability/proof/formats/loki-chunk.ts'
import {
  lokiKeyForms,
  parseChunkKey,
  streamFingerprint,
} from '../../../../../observability/proof/formats/loki-keys.ts'
import { metricSum } from '../../../../../observability/proof/formats/prometheus-text.ts'
import {
  decodeSnappyBlock,
  decodeSnappyStream,
  SnappyError,
} from '../../../../../observability/proof/formats/snappy.ts'
import { readBlockMeta } from '../../../../../observability/proof/formats/tempo-block.ts'
import { parseBlockKey, tempoKeyForms } from '../../../../../observability/proof/formats/tempo-keys.ts'

const ascii = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe('crc32c', () => {
  it('gives the values of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index))).toBe(0x113fdb5c)
  })

  it('changes with a single bit', () => {
    expect(crc32c(ascii('validate'))).not.toBe(crc32c(ascii('validatd')))
  })
})

describe('decodeSnappyBlock', () => {
  it('copies from what it has written, also over its own end', () => {
    // Length 10, the literal "ab", and a copy of 8 bytes from 2 bytes ago.
    expect(text(decodeSnappyBlock(Uint8Array.of(10, 0x04, 0x61, 0x62, 0x11, 0x02)))).toBe('ababababab')
    // The same with an offset of two bytes.
    expect(text(decodeSnappyBlock(Uint8Array.of(10, 0x04, 0x61, 0x62, 0x1e, 0x02, 0x00)))).toBe('ababababab')
  })

  it('takes a literal whose length needs a byte of its own', () => {
    const literal = ascii('x'.repeat(70))
    expect(text(decodeSnappyBlock(Uint8Array.of(70, 0xf0, 69, ...literal)))).toBe('x'.repeat(70))
  })

  it('refuses a copy from before the beginning, and other lengths than it says', () => {
    expect(() => decodeSnappyBlock(Uint8Array.of(4, 0x01, 0x01))).toThrow(SnappyError)
    expect(() => decodeSnappyBlock(Uint8Array.of(9, 0x04, 0x61, 0x62))).toThrow('length of the block')
    expect(() => decodeSnappyBlock(Uint8Array.of(1, 0x04, 0x61, 0x62))).toThrow('length of a literal')
  })
})

describe('decodeSnappyStream', () => {
  it('joins its chunks and stops where the stream ends', () => {
    const stream = snappyStream('from ', 'two chunks')
    expect(text(decodeSnappyStream(Buffer.concat([stream, ascii('no more of it')])))).toBe('from two chunks')
  })

  it('refuses what is no stream, and a chunk whose checksum does not fit', () => {
    expect(() => decodeSnappyStream(ascii('sNaPpY'))).toThrow('no stream identifier')
    const damaged = snappyStream('from two chunks')
    damaged[damaged.length - 1] = 0x21
    expect(() => decodeSnappyStream(damaged)).toThrow('checksum of a chunk')
  })
})

describe('readLokiChunk', () => {
  const description = {
    fingerprint: 'NUMBER',
    userID: 'fake',
    from: 1795606413.346,
    through: 1795606413.347,
    metric: { __name__: 'logs', service_name: 'orders' },
  }
  const json = JSON.stringify(description).replace('"NUMBER"', '18446744073709551615')

  it('reads what stands before the lines, with a fingerprint of 64 bits, and the lines', () => {
    const chunk = readLokiChunk(chunkObject(json, snappyStream('a line')))
    expect(chunk).toMatchObject({ tenant: 'fake', fingerprint: 'ffffffffffffffff', from: 1795606413346 })
    expect(chunk.through).toBe(1795606413347)
    expect(chunk.labels.service_name).toBe('orders')
    expect(text(chunk.contents)).toBe('a line')
  })

  it('shows lines that are not compressed as they are', () => {
    expect(text(readLokiChunk(chunkObject(json, ascii('a line'))).contents)).toContain('a line')
  })

  it('refuses an object that is cut off, or something else', () => {
    const whole = chunkObject(json, ascii('a line'))
    expect(() => readLokiChunk(whole.subarray(0, whole.length - 1))).toThrow('cut off')
    expect(() => readLokiChunk(ascii('{"not":"a chunk"}'))).toThrow(LokiChunkError)
    expect(() => readLokiChunk(new Uint8Array(0))).toThrow(LokiChunkError)
  })
})

describe('parseChunkKey', () => {
  it('reads tenant, fingerprint, times and checksum, wherever the key lies', () => {
    const parsed = {
      tenant: 'fake',
      fingerprint: '183550e18e1fd8ac',
      from: 1795606413346,
      through: 1795606413347,
      checksum: 'f64f4120',
    }
    expect(parseChunkKey('loki/fake/183550e18e1fd8ac/1a2127b8022:1a2127b8023:f64f4120')).toEqual(parsed)
    expect(parseChunkKey('fake/183550e18e1fd8ac/1a2127b8022:1a2127b8023:f64f4120')).toEqual(parsed)
  })

  it('is nothing for any other key', () => {
    expect(parseChunkKey('loki/index/index_20782/1795606402-vm-1795606402938100730.tsdb.gz')).toBeNull()
    expect(parseChunkKey('loki/fake/183550e18e1fd8ac/1a2127b8022:1a2127b8023')).toBeNull()
  })
})

describe('streamFingerprint', () => {
  it('is the one that Loki 3.7.8 gave to such a stream, in any order of its labels', () => {
    expect(streamFingerprint({ service_name: 'cloudlysis-validate-587238917221ea93' })).toBe(
      '183550e18e1fd8ac',
    )
    expect(streamFingerprint({ a: '1', b: '2' })).toBe(streamFingerprint({ b: '2', a: '1' }))
    expect(streamFingerprint({ a: '1', b: '2' })).not.toBe(streamFingerprint({ a: '2', b: '1' }))
  })
})

describe('the known forms of keys', () => {
  const formOf = (forms: typeof lokiKeyForms, key: string) => forms.find(({ form }) => form.test(key))?.name

  it('are those of Loki', () => {
    const loki = (key: string) => formOf(lokiKeyForms, key)
    expect(loki('fake/7069e799ff3506d9/1a21286d622:1a21286d623:6ba94731')).toBe('chunk')
    expect(loki('index/index_20782/1795607157-vm-1795607157286564535.tsdb.gz')).toBe('index')
    expect(loki('index/index_20782/fake/1795607157-compactor-1-2-abc.tsdb.gz')).toBe('compacted index')
    expect(loki('index/delete_requests/delete_requests.gz')).toBe('delete requests')
    expect(loki('loki_cluster_seed.json')).toBe('cluster seed')
  })

  it('are not what Loki does not write', () => {
    const loki = (key: string) => formOf(lokiKeyForms, key)
    expect(loki('fake/7069e799ff3506d9/1a21286d622:1a21286d623:6ba94731.tmp')).toBeUndefined()
    expect(loki('loki/fake/7069e799ff3506d9/1a21286d622:1a21286d623:6ba94731')).toBeUndefined()
    expect(loki('index/index_20782/secret.txt')).toBeUndefined()
  })

  it('are those of Tempo, and no others', () => {
    const tempo = (key: string) => formOf(tempoKeyForms, key)
    const block = 'single-tenant/97af9830-16f3-4074-859b-b7fc122ae888'
    expect(tempo(`${block}/meta.json`)).toBe('block')
    expect(tempo(`${block}/bloom-12`)).toBe('block')
    expect(tempo(`${block}/meta.compacted.json`)).toBe('compacted block')
    expect(tempo('single-tenant/index.pb.zst')).toBe('tenant index')
    expect(tempo(`${block}/notes.txt`)).toBeUndefined()
    expect(tempo('single-tenant/not-a-block/meta.json')).toBeUndefined()
  })
})

describe('parseBlockKey', () => {
  it('reads tenant, block and file, wherever the key lies', () => {
    const folder = 'a/b/single-tenant/97af9830-16f3-4074-859b-b7fc122ae888/'
    expect(parseBlockKey(`${folder}meta.json`)).toEqual({
      tenant: 'single-tenant',
      block: '97af9830-16f3-4074-859b-b7fc122ae888',
      file: 'meta.json',
      folder,
    })
    expect(parseBlockKey('tempo/single-tenant/index.json.gz')).toBeNull()
  })
})

describe('readBlockMeta', () => {
  it('names everything that a meta.json lacks', () => {
    expect(() => readBlockMeta('{"blockID":"x","size":"1"}')).toThrow(
      'meta.json has no tenantID, startTime, endTime, format, totalObjects, size, bloomShards',
    )
  })
})

describe('metricSum', () => {
  const metrics = '# HELP a_total x\na_total{to="b",ok="1"} 2\na_total{to="c"} 3\na_total_more 7\nplain 4\n'

  it('adds the series of one metric, or those with given labels', () => {
    expect(metricSum(metrics, 'a_total')).toBe(5)
    expect(metricSum(metrics, 'a_total', { to: 'b' })).toBe(2)
    expect(metricSum(metrics, 'plain')).toBe(4)
  })

  it('tells a metric that is not there from one that is zero', () => {
    expect(metricSum(metrics, 'b_total')).toBeNull()
    expect(metricSum('a_total 0\n', 'a_total')).toBe(0)
  })
})

/** A framed stream with one uncompressed chunk for each text (framing_format.txt, section 4.3). */
function snappyStream(...texts: string[]): Uint8Array {
  const chunks = texts.map((one) => {
    const crc = crc32c(ascii(one))
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
    const head = Buffer.alloc(8)
    head.writeUInt8(0x01, 0)
    head.writeUIntLE(one.length + 4, 1, 3)
    head.writeUInt32LE(masked, 4)
    return Buffer.concat([head, ascii(one)])
  })
  return new Uint8Array(Buffer.concat([Uint8Array.of(0xff, 6, 0, 0), ascii('sNaPpY'), ...chunks]))
}

function chunkObject(description: string, lines: Uint8Array): Uint8Array {
  const described = snappyStream(description)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(described.length + 4)
  const magic = Buffer.from([0x01, 0x2e, 0xe5, 0x6a])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(magic.length + lines.length)
  return new Uint8Array(Buffer.concat([head, described, length, magic, lines]))
}
