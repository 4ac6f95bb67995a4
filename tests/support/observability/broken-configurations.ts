import type { YamlMapping } from '../../../observability/config/yaml.ts'
import { isMapping, merged } from '../../../observability/config/yaml.ts'
import type { LokiScene } from '../../../observability/proof/checks/loki-scene.ts'
import type { TempoScene } from '../../../observability/proof/checks/tempo-scene.ts'
import { found, type Mischief, type OwnScene } from '../../../observability/proof/scene.ts'
import { readObject } from '../../../observability/proof/store/read-object.ts'

type Change = (config: YamlMapping) => YamlMapping

/** Breaks the configuration of some launches only, by their names. */
export function onlyIn(names: readonly string[], change: Change): NonNullable<Mischief['alter']> {
  return (config, name) => (names.includes(name) ? change(config) : config)
}

/** A copy without the setting at that path. */
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
 * ruler that nobody asked for.
 */
export function withS3InCommon(config: YamlMapping): YamlMapping {
  const storage = config.storage_config
  const s3 = isMapping(storage) ? storage.aws : undefined
  if (!isMapping(s3)) throw new Error('there are no settings of the classic client')
  return merged(config, { common: { storage: { s3 } } })
}

/** Changes one byte of an object, and puts it right again. */
interface Tampering {
  change: (scene: OwnScene) => Promise<void>
  putRight: (scene: OwnScene) => Promise<void>
}

/** A bit in the lines of the chunk that has landed. */
export function changeChunk(): Tampering {
  return tampering(
    (scene) => found((scene as LokiScene).chunk).key,
    (bytes) => {
      const at = bytes.length - 40
      bytes[at] = (bytes[at] ?? 0) ^ 1
      return bytes
    },
  )
}

/** Another number of traces in the meta.json of the block that has landed. */
export function changeBlock(): Tampering {
  return tampering(
    (scene) => `${found((scene as TempoScene).block).folder}meta.json`,
    (bytes) =>
      new TextEncoder().encode(
        new TextDecoder().decode(bytes).replace('"totalObjects":1', '"totalObjects":2'),
      ),
  )
}

function tampering(keyIn: (scene: OwnScene) => string, spoil: (bytes: Uint8Array) => Uint8Array): Tampering {
  let original: Uint8Array = new Uint8Array()
  const put = (scene: OwnScene, bytes: Uint8Array) =>
    scene.objects.put(keyIn(scene), bytes, { size: bytes.length, contentType: 'application/octet-stream' })
  return {
    async change(scene) {
      original = (await readObject(scene.objects, keyIn(scene))) ?? original
      await put(scene, spoil(original.slice()))
    },
    async putRight(scene) {
      await put(scene, original)
    },
  }
}
