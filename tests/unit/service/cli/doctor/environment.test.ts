import { beforeEach, describe, expect, it } from 'bun:test'
import { doctorEnvironment } from '../../../../../service/cli/doctor/environment.ts'
import { writeLocalStart } from '../../../../../service/cli/local-issuer/starts.ts'
import { folderForTests } from '../../../../support/folder.ts'

describe('doctorEnvironment', () => {
  let folder: string
  beforeEach(async () => {
    folder = await folderForTests('doctor-store-')
  })

  const store = { S3_ENDPOINT: 'http://127.0.0.1:9000', S3_SECRET_ACCESS_KEY_FILE: '/secrets/key' }
  const start = (port: number, more: object = { store }) =>
    writeLocalStart(
      port,
      {
        url: `http://127.0.0.1:${port}`,
        issuer: 'http://127.0.0.1:4000',
        audience: 'cloudlysis-documents',
        jwk: { kty: 'EC', kid: 'k1' },
        startedAt: '2026-11-23T10:00:00Z',
        pid: process.pid,
        ...more,
      },
      folder,
    )

  it('uses the store of the running start', async () => {
    await start(8080)
    expect(await doctorEnvironment({ HOME: '/home' }, folder)).toEqual({
      environment: { HOME: '/home', ...store },
      remark: 'the store of the start on port 8080',
      uiOrigin: 'http://127.0.0.1:8080',
    })
  })

  it('uses the variables alone if one of them is set, and mixes nothing', async () => {
    await start(8080)
    const environment = { S3_REGION: 'fsn1' }
    expect(await doctorEnvironment(environment, folder)).toEqual({ environment, remark: null })
  })

  it('takes the origin of the UI from PUBLIC_URL', async () => {
    const uiOriginOf = async (PUBLIC_URL: string) =>
      (await doctorEnvironment({ S3_REGION: 'fsn1', PUBLIC_URL }, folder)).uiOrigin
    expect(await uiOriginOf('https://documents.example:8443')).toBe('https://documents.example:8443')
    expect(await uiOriginOf('https://documents.example/path')).toBeUndefined()
    expect(await uiOriginOf('documents.example')).toBeUndefined()
  })

  it('does not choose between two starts, and uses no store that a start did not bring up', async () => {
    await start(8080, {})
    expect((await doctorEnvironment({}, folder)).remark).toContain(
      'no start runs here with a store of its own',
    )
    await start(8081)
    await start(8082)
    const { environment, remark } = await doctorEnvironment({}, folder)
    expect(environment).toEqual({})
    expect(remark).toContain('2 starts run here')
  })
})
