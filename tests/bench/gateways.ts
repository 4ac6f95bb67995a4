import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildServer } from '../../compose/servers/build-server.ts'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../compose/servers/server-process.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { aptInstall } from '../support/apt.ts'
import type { StoreForTests } from '../support/stores/service-key.ts'

/** A program that stands between a client and the store, where the service stands otherwise. */
export interface Gateway {
  origin: string
  pid: number
  stop(): Promise<void>
}

/** A gateway whose clients sign with its own keys. */
export interface SigningGateway extends Gateway {
  accessKeyId: string
  secretAccessKey: string
}

/** Without what it does in addition for users and buckets of its own, which costs it time. */
const gatewayFlags = ['--keep-alive', '--disable-acl', '--quiet']
/** Without TLS to the store it writes only with the last of these. */
const storeFlags = ['--use-path-style', '--disable-checksum', '--disable-data-integrity-check']

type StoreOwner = Pick<StoreForTests, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>

/**
 * Starts VersityGW (https://github.com/versity/versitygw): what a user would put in this place instead. It checks the
 * signature of a request, makes one of its own for the store, and verifies no bytes.
 *
 * @param folder for its log
 * @throws {ServerBuildError} without a Go toolchain.
 */
export async function startVersityGw(store: StoreOwner, folder: string): Promise<SigningGateway> {
  const binary = await withProgress('building versitygw', (onProgress) =>
    buildServer('versitygw', { onProgress }),
  )
  const port = await freePort()
  const accessKeyId = 'bench'
  const secretAccessKey = crypto.randomUUID()
  const origin = `http://127.0.0.1:${port}`
  const { pid, stop } = await startServer({
    name: 'versitygw',
    argv: [
      binary,
      '--port',
      `127.0.0.1:${port}`,
      '--health',
      '/health',
      ...gatewayFlags,
      's3',
      ...storeFlags,
    ],
    env: {
      HOME: folder,
      PATH: '/usr/bin:/bin',
      ROOT_ACCESS_KEY: accessKeyId,
      ROOT_SECRET_KEY: secretAccessKey,
      VGW_REGION: store.region,
      VGW_S3_ENDPOINT: store.endpoint,
      VGW_S3_REGION: store.region,
      VGW_S3_ACCESS_KEY: store.accessKeyId,
      VGW_S3_SECRET_KEY: store.secretAccessKey,
    },
    cwd: folder,
    logFile: join(folder, 'versitygw.log'),
    isReady: () => answersOk(`${origin}/health`),
    readySecondsMax: 30,
    stopSecondsMax: 5,
  })
  return { origin, pid, stop, accessKeyId, secretAccessKey }
}

/**
 * Starts nginx, which passes requests on that are signed for the store: the least that a proxy can do.
 *
 * @param folder for its configuration and its temporary files
 */
export async function startNginx(store: StoreOwner, folder: string): Promise<Gateway> {
  if (Bun.which('nginx') === null) await aptInstall(['nginx-light'])
  const port = await freePort()
  const { host } = new URL(store.endpoint)
  const config = join(folder, 'nginx.conf')
  await writeFile(config, nginxConfig({ port, host, folder }))
  const { pid, stop } = await startServer({
    name: 'nginx',
    argv: ['nginx', '-c', config, '-p', folder, '-e', 'stderr'],
    env: { PATH: process.env.PATH ?? '' },
    cwd: folder,
    logFile: join(folder, 'nginx.log'),
    isReady: () => answersOk(`http://127.0.0.1:${port}/nginx-is-up`),
    readySecondsMax: 10,
    stopSecondsMax: 5,
  })
  return { origin: `http://127.0.0.1:${port}`, pid, stop }
}

/** One process, whose CPU time can be measured. Bodies are not kept in files, which the service does not do either. */
function nginxConfig({ port, host, folder }: { port: number; host: string; folder: string }): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/nginx-${kind};`).join(' ')}
  upstream store { server ${host}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location = /nginx-is-up { return 204; }
    location / {
      proxy_pass http://store;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host ${host};
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`
}
