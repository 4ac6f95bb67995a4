import { describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { YAML } from 'bun'
import { runCommand } from '../../compose/run-command.ts'
import { buildServer } from '../../compose/servers/build-server.ts'
import { writeConfiguration } from '../../observability/config/configurations.ts'
import { renderLoki } from '../../observability/config/render.ts'
import type { LokiStoreSettings } from '../../observability/config/settings.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { folderForTests } from '../support/folder.ts'
import { configurationNames } from '../support/observability/configuration-names.ts'
import { registerSecret } from '../support/secrets.ts'

/** How each server checks its configuration without being started. */
const checks = {
  loki: (file: string) => ['-verify-config', `-config.file=${file}`],
  tempo: (file: string) => ['-config.verify=true', `-config.file=${file}`],
  'otel-collector': (file: string) => ['validate', `--config=${file}`],
}
type Checked = keyof typeof checks

const secret = `secret-${crypto.randomUUID()}`

registerSecret(secret)
const build = (name: Checked) =>
  withProgress(`building ${name}`, (onProgress) => buildServer(name, { onProgress }))
const binaries = {
  loki: await build('loki'),
  tempo: await build('tempo'),
  'otel-collector': await build('otel-collector'),
}
const folder = await folderForTests('cloudlysis-config-')
const env = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_ACCESS_KEY_ID: 'AKEXAMPLE',
  S3_SECRET_ACCESS_KEY: secret,
  S3_BUCKET_LOKI: 'acme-loki',
  S3_BUCKET_TEMPO: 'acme-tempo',
  S3_PREFIX_TEMPO: 'acme/traces/',
}
for (const name of configurationNames) await writeConfiguration(folder, name, { env, readFile: () => '' })

/** Returns the server's complaint about a configuration, empty if it accepts it. */
async function complaint(server: Checked, file: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand([binaries[server], ...checks[server](file)])
  return exitCode === 0 ? '' : `${file}: ${exitCode} ${stdout}${stderr}`
}

async function complaints(server: Checked, names: string[]): Promise<string[]> {
  const said: string[] = []
  for (const name of names) said.push(await complaint(server, join(folder, `${name}.yaml`)))
  return said.filter((line) => line !== '')
}

async function complaintAbout(server: Checked, config: string): Promise<string> {
  const file = join(folder, `of-a-test-${crypto.randomUUID()}`)
  await writeFile(file, config)
  return complaint(server, file)
}

const textOf = (name: string) => Bun.file(join(folder, `${name}.yaml`)).text()

describe('the rendered configurations', () => {
  it('are all accepted by Loki', async () => {
    const names = configurationNames.filter((name) => name.startsWith('loki.'))
    expect(names).toHaveLength(20)
    expect(await complaints('loki', names)).toEqual([])
  })

  it('are all accepted by Tempo 2.9 without a warning', async () => {
    const names = configurationNames.filter((name) => name.startsWith('tempo.'))
    expect(names).toHaveLength(12)
    expect(await complaints('tempo', names)).toEqual([])
  })

  it('are all accepted by the Collector', async () => {
    const names = configurationNames.filter((name) => name.startsWith('collector'))
    expect(names).toHaveLength(2)
    expect(await complaints('otel-collector', names)).toEqual([])
  })

  it('contain no placeholder and no secret', async () => {
    const texts = await Promise.all(configurationNames.map(textOf))
    expect(texts.filter((text) => text.includes('${'))).toEqual([])
    expect(texts.filter((text) => text.includes(secret) || text.includes('AKEXAMPLE'))).toEqual([])
    expect(texts.filter((text) => /secret|access_key|password/i.test(text))).toEqual([])
  })

  it('contain settings that Tempo 2.9 refuses if they are for Tempo 3', async () => {
    expect(await complaint('tempo', join(folder, 'tempo3.s3.yaml'))).toContain('not found in type')
    expect(Object.keys(YAML.parse(await textOf('tempo3.s3')) as object)).not.toContain('ingester')
  })
})

describe("the servers' own parsers", () => {
  const unknown = '\nno_such_setting: true\n'

  it('refuse unknown settings', async () => {
    expect(await complaintAbout('loki', (await textOf('loki.local')) + unknown)).toContain('no_such_setting')
    expect(await complaintAbout('tempo', (await textOf('tempo.local')) + unknown)).toContain(
      'no_such_setting',
    )
    expect(await complaintAbout('otel-collector', (await textOf('collector')) + unknown)).toContain(
      'no_such_setting',
    )
  })

  it('refuse for the thanos client exactly what our own rules refuse', async () => {
    const store: LokiStoreSettings = {
      client: 'thanos',
      bucket: 'acme-loki',
      prefix: 'loki',
      endpoint: 'store.example',
      region: 'fsn1',
      insecure: false,
      forcePathStyle: true,
      caFile: null,
    }
    const places = { dataDir: '/loki', httpPort: 3100, grpcPort: 9095 }
    const asked = async (changes: Partial<LokiStoreSettings>) => {
      const text = await renderLoki(['s3-thanos'], { store: { ...store, ...changes }, places })
      return complaintAbout('loki', text)
    }
    expect(await asked({})).toBe('')
    expect(await asked({ prefix: 'acme/loki' })).toContain('storage prefix contains invalid characters')
    expect(await asked({ prefix: 'acme_loki' })).toContain('storage prefix contains invalid characters')
    expect(await asked({ endpoint: 'acme-loki.store.example' })).toContain(
      'must not prefixed with the bucket',
    )
  })
})
