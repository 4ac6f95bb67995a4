import { describe, expect, it } from 'bun:test'
import { directToLoopback, isLoopback } from '../../../../service/wire/loopback.ts'

const isThisMachine = (host: string) => isLoopback(new URL(`http://${host}:8080/`))

describe('isLoopback', () => {
  it('knows this machine under its name and under every address of it', () => {
    const hosts = ['localhost', 'LOCALHOST', '127.0.0.1', '127.1', '0x7f000001', '127.255.0.9', '[::1]']
    for (const host of [...hosts, '[0:0::1]', 'acme.localhost'])
      expect({ host, is: isThisMachine(host) }).toEqual({ host, is: true })
  })

  it('takes no other host for this machine, however close its name comes', () => {
    const hosts = ['localhost.example.com', '127.0.0.1.example.com', 'example.com', '128.0.0.1', '0.0.0.0']
    for (const host of [...hosts, '[::]', '[::ffff:127.0.0.1]', '[fe80::1]', 'minio'])
      expect({ host, is: isThisMachine(host) }).toEqual({ host, is: false })
  })
})

describe('directToLoopback', () => {
  it('keeps requests to this machine away from the proxy of the environment, and no others', () => {
    expect(directToLoopback('http://127.0.0.1:9000/')).toEqual({ proxy: false })
    expect(directToLoopback('http://example.com/')).toEqual({})
  })
})
