import type { YamlMapping } from '../../../observability/config/yaml.ts'
import { isMapping, merged } from '../../../observability/config/yaml.ts'
import { parseChunkKey } from '../../../observability/proof/formats/loki-keys.ts'
import { listObjects, readObject } from '../../../observability/proof/store/objects.ts'
import type { BucketUnderTest, FaultInjection } from './broken-proof.ts'

type Change = (config: YamlMapping) => YamlMapping

/** Returns a change of the configuration of some launches only, by their names. */
export function onlyIn(names: readonly string[], change: Change): NonNullable<FaultInjection['alter']> {
  return (config, name) => (names.includes(name) ? change(config) : config)
}

/** Returns the change that drops the setting at that path. */
export function without(...path: string[]): Change {
  return (config) => {
    const [first = '', ...rest] = path
    const inner = config[first]
    if (rest.length === 0) {
      const { [first]: dropped, ...others } = config
      if (dropped === undefined) throw new Error(`there is no ${first} to be dropped`)
      return others
    }
    if (!isMapping(inner)) throw new Error(`there is no ${first} to drop ${rest.join('.')} from`)
    return { ...config, [first]: without(...rest)(inner) }
  }
}

/**
 * What many examples show: the settings of the S3 client under `common`, from where Loki also takes them for a
 * ruler that no one asked for.
 */
export function withS3InCommon(config: YamlMapping): YamlMapping {
  const storage = config.storage_config
  const s3 = isMapping(storage) ? storage.aws : undefined
  if (!isMapping(s3)) throw new Error('there are no settings of the classic client')
  return merged(config, { common: { storage: { s3 } } })
}

/** Changes an object in the bucket, and puts it right again. */
interface Tampering {
  change: (bucket: BucketUnderTest) => Promise<void>
  putRight: (bucket: BucketUnderTest) => Promise<void>
}

/** Flips a bit in the lines of the chunk that has landed. */
export function changeChunk(): Tampering {
  return tampering(
    (key) => parseChunkKey(key) !== null,
    (bytes) => {
      const at = bytes.length - 40
      bytes[at] = (bytes[at] ?? 0) ^ 1
      return bytes
    },
  )
}

/** Writes another number of traces into the meta.json of the block that has landed. */
export function changeBlock(): Tampering {
  return tampering(
    (key) => key.endsWith('/meta.json'),
    (bytes) => {
      const text = new TextDecoder().decode(bytes)
      return new TextEncoder().encode(text.replace('"totalObjects":1', '"totalObjects":2'))
    },
  )
}

function tampering(isIt: (key: string) => boolean, spoil: (bytes: Uint8Array) => Uint8Array): Tampering {
  let key = ''
  let original: Uint8Array = new Uint8Array()
  return {
    async change({ objects, put }) {
      key = [...(await listObjects(objects)).keys()].find(isIt) ?? ''
      original = (await readObject(objects, key)) ?? original
      await put(key, spoil(original.slice()))
    },
    putRight: ({ put }) => put(key, original),
  }
}
