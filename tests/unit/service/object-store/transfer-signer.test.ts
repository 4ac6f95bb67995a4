import { describe, expect, it } from 'bun:test'
import { createS3TransferSigner } from '../../../../service/object-store/s3/s3-transfer-signer.ts'
import { signedOrigins } from '../../../../service/object-store/transfer-signer.ts'

interface Place {
  publicEndpoint: string
  bucket: string
  forcePathStyle?: boolean
}

/** What the browser must be let through to, for a store at that place. */
function originsAt({ publicEndpoint, bucket, forcePathStyle = false }: Place): Promise<string[]> {
  return signedOrigins(
    createS3TransferSigner({
      endpoint: 'http://inside:9000',
      publicEndpoint,
      region: 'fsn1',
      accessKeyId: 'an-id',
      secretAccessKey: crypto.randomUUID(),
      forcePathStyle,
      bucket,
      connectionsMax: 8,
    }),
  )
}

describe('the origins at which signed transfers go to the store', () => {
  const publicEndpoint = 'https://fsn1.your-objectstorage.com'

  it('have the bucket in their host, unless paths are forced', async () => {
    expect(await originsAt({ publicEndpoint, bucket: 'docs' })).toEqual([
      'https://docs.fsn1.your-objectstorage.com',
    ])
    expect(await originsAt({ publicEndpoint, bucket: 'docs', forcePathStyle: true })).toEqual([
      publicEndpoint,
    ])
  })

  it('are those of the public endpoint, with its port', async () => {
    const local = { publicEndpoint: 'http://127.0.0.1:9000', bucket: 'docs' }
    expect(await originsAt({ ...local, forcePathStyle: true })).toEqual(['http://127.0.0.1:9000'])
    expect(await originsAt({ publicEndpoint: 'https://store.example:8443', bucket: 'docs' })).toEqual([
      'https://docs.store.example:8443',
    ])
  })

  it('have no bucket in their host where it cannot stand there: an address, a name with dots', async () => {
    expect(await originsAt({ publicEndpoint: 'http://127.0.0.1:9000', bucket: 'docs' })).toEqual([
      'http://127.0.0.1:9000',
    ])
    expect(await originsAt({ publicEndpoint, bucket: 'docs.of.acme' })).toEqual([publicEndpoint])
  })
})
