import { describe, expect, it } from 'bun:test'
import { readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { objectStoreImage } from '../../../../compose/images/object-store/image.ts'
import { cached } from '../../../../compose/servers/cache.ts'
import { freePort, isPortFree, onFreePorts } from '../../../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../../../compose/servers/server-process.ts'
import { builtServers, pinnedTool, readRecipe } from '../../../../compose/servers/server-recipe.ts'
import { folderForTests } from '../../../support/folder.ts'

const root = resolve(import.meta.dir, '../../../..')

describe('pinnedTool', () => {
  it('reads the tool and the version of its module', () => {
    const goMod = 'module m\n\ntool example.org/a/cmd/b\n\nrequire (\n\texample.org/a v1.2.3 // indirect\n)\n'
    expect(pinnedTool(goMod)).toEqual({ package: 'example.org/a/cmd/b', version: 'v1.2.3' })
  })

  it('refuses a go.mod without a tool, and a tool without a version', () => {
    expect(() => pinnedTool('module m\n')).toThrow('no tool line')
    expect(() => pinnedTool('module m\n\ntool example.org/a\n')).toThrow('pins no version')
  })
})

describe('readRecipe', () => {
  it('finds the pin of every server that is built', async () => {
    const recipes = await Promise.all(builtServers.map(readRecipe))
    expect(recipes.map(({ version }) => version)).toEqual([
      'v0.0.0-20260212201848-7aac2a2c5b7c',
      'v0.0.0-20250313080218-cf909e1063a9',
      'v5.6.0',
      'v3.7.8',
      'v1.5.1-0.20251008140505-607c7fb69662',
      'v0.165.0',
      'v2.5.0',
      'v1.8.0',
    ])
  })

  it('pins, for the Collector, every component in the version that its manifest names', async () => {
    const { folder, manifest } = await readRecipe('otel-collector')
    const goMod = await Bun.file(join(folder, 'go.mod')).text()
    const named = Array.from((await Bun.file(manifest ?? '').text()).matchAll(/- gomod: (\S+ \S+)/g))
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(([, pin = '']) => !goMod.includes(`\t${pin}\n`))).toEqual([])
  })
})

describe('the image of the object store', () => {
  it('is tagged with the commit that go.mod pins MinIO to, in code, compose files and Dockerfile', async () => {
    const { version } = await readRecipe('minio')
    expect(objectStoreImage.split('-').at(-1)).toBe(version.split('-').at(-1))
    for (const file of ['compose/stacks/object-store.yaml', 'compose/images/object-store/Dockerfile']) {
      expect(await Bun.file(join(root, file)).text()).toContain(objectStoreImage)
    }
  })
})

describe('cached', () => {
  const entry = { key: 'thing-1', onWait: () => {} }

  it('makes a folder once, however many ask at the same time', async () => {
    const cache = await folderForTests('cloudlysis-builds-')
    let made = 0
    const make = async (folder: string) => {
      made++
      await Bun.sleep(50)
      await writeFile(join(folder, 'file'), 'whole')
    }
    const [first, second] = await Promise.all([
      cached({ ...entry, cache, make }),
      cached({ ...entry, cache, make }),
    ])
    expect(made).toBe(1)
    expect(first).toBe(second)
    expect(await Bun.file(join(first, 'file')).text()).toBe('whole')
  })

  it('keeps nothing of a folder that failed, and makes it again the next time', async () => {
    const cache = await folderForTests('cloudlysis-builds-')
    const failing = cached({
      ...entry,
      cache,
      make: async (folder) => {
        await writeFile(join(folder, 'file'), 'half')
        throw new Error('no')
      },
    })
    await expect(failing).rejects.toThrow('no')
    expect((await readdir(cache)).filter((name) => !name.endsWith('.lock'))).toEqual([])
    const folder = await cached({ ...entry, cache, make: (at) => writeFile(join(at, 'file'), 'whole') })
    expect(await Bun.file(join(folder, 'file')).text()).toBe('whole')
  })
})

describe('startServer', () => {
  const script =
    'Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[1]), fetch: () => new Response("up") })'

  const startDemo = (folder: string, port: number) =>
    startServer({
      name: 'demo',
      argv: [process.execPath, '-e', script, String(port)],
      env: { HOME: folder },
      cwd: folder,
      logFile: join(folder, `log-${port}`),
      isReady: () => answersOk(`http://127.0.0.1:${port}/`),
      readySecondsMax: 20,
      stopSecondsMax: 5,
    })

  it('is ready when the server answers, and stops it so that the port is free again', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    const port = await freePort()
    const server = await startDemo(folder, port)
    expect(await isPortFree(port)).toBe(false)
    await server.stop()
    expect(await isPortFree(port)).toBe(true)
    await server.stop()
  })

  it('reports what a server printed that ended instead of becoming ready', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    const attempt = startServer({
      name: 'demo',
      argv: [process.execPath, '-e', 'console.error("no such disk"); process.exit(3)'],
      env: { HOME: folder },
      cwd: folder,
      logFile: join(folder, 'log'),
      isReady: async () => false,
      readySecondsMax: 20,
      stopSecondsMax: 5,
    })
    await expect(attempt).rejects.toThrow('no such disk')
  })

  it('reports an error after which the server printed many more lines and errors, such as a port that is taken', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    const script =
      'echo "level=error address already in use"; for line in $(seq 30); do echo "level=error $line"; done; ' +
      'for line in $(seq 60); do echo "level=info $line"; done'
    let starts = 0
    const attempt = onFreePorts(() => {
      starts += 1
      return startServer({
        name: 'demo',
        argv: ['/bin/sh', '-c', script],
        env: { PATH: '/usr/bin:/bin' },
        cwd: folder,
        logFile: join(folder, `log-${starts}`),
        isReady: async () => false,
        readySecondsMax: 20,
        stopSecondsMax: 5,
      })
    })
    await expect(attempt).rejects.toThrow('level=error address already in use')
    expect(starts).toBe(3)
  })

  it('reports nothing that an earlier start has left in the log', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    await Bun.write(join(folder, 'log'), 'level=error address already in use\n')
    const attempt = startServer({
      name: 'demo',
      argv: ['/bin/sh', '-c', 'echo "no such disk"'],
      env: { PATH: '/usr/bin:/bin' },
      cwd: folder,
      logFile: join(folder, 'log'),
      isReady: async () => false,
      readySecondsMax: 20,
      stopSecondsMax: 5,
    })
    await expect(attempt).rejects.toMatchObject({ log: 'no such disk' })
  })

  it('does not mistake another server at the address for one that has ended', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    const attempt = startServer({
      name: 'demo',
      argv: ['/bin/sh', '-c', 'echo "another server was there first" >&2'],
      env: { HOME: folder },
      cwd: folder,
      logFile: join(folder, 'log'),
      isReady: () => Bun.sleep(500).then(() => true),
      readySecondsMax: 20,
      stopSecondsMax: 5,
    })
    await expect(attempt).rejects.toThrow('another server was there first')
  })

  it('is tried on another port if the first one was taken in the meantime, a bounded number of times', async () => {
    const folder = await folderForTests('cloudlysis-builds-')
    const holder = createServer((socket) => socket.destroy())
    await new Promise<void>((listening) => holder.listen(0, '127.0.0.1', listening))
    const taken = (holder.address() as AddressInfo).port
    const tried: number[] = []
    const onPorts = (ports: number[]) => () => {
      const port = ports[tried.length] ?? 0
      tried.push(port)
      return startDemo(folder, port)
    }
    const free = await freePort()
    const server = await onFreePorts(onPorts([taken, free]))
    await server.stop()
    expect(tried).toEqual([taken, free])
    tried.length = 0
    await expect(onFreePorts(onPorts([taken, taken, taken, free]))).rejects.toThrow('in use')
    holder.close()
    expect(tried).toEqual([taken, taken, taken])
  })
})
