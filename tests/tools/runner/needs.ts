import { existsSync } from 'node:fs'
import { runCommand } from '../../../compose/run-command.ts'
import { buildServer, findGo, isServerBuilt } from '../../../compose/servers/build-server.ts'
import { installRgw, isRgwInstalled, rgwInstallLine } from '../../../compose/servers/ceph-rgw.ts'
import { whyNoDocker } from '../../../compose/servers/docker-engine.ts'
import {
  installPrometheus,
  isPrometheusInstalled,
  prometheusInstallLine,
} from '../../../compose/servers/prometheus.ts'
import { findPip, installSeaweedfs, isSeaweedfsInstalled } from '../../../compose/servers/seaweedfs.ts'
import type { BuiltServer } from '../../../compose/servers/server-recipe.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { aptInstall, isRootOnDebian } from '../../support/apt.ts'
import { isBrowserInstalled } from '../../support/browser/browser.ts'

/** What a suite may need from the machine. */
export type NeedName =
  | 'node'
  | 'git'
  | 'curl'
  | 'openssl'
  | 'chromium'
  | 'prometheus'
  | 'minio'
  | 'rgw'
  | 'pip'
  | 'compose'
  | 'docker'
  | 'haproxy'
  | 'loki'
  | 'tempo'
  | 'otel-collector'
  | 'toxiproxy'

/** `null` if the need is met, otherwise why it is not and the one line that would meet it. */
export type NeedAnswer = { why: string; line: string } | null

/**
 * Meets one need: looks, installs or builds what is missing where that is allowed (system packages: as root on
 * Debian), and looks again.
 */
export async function meetNeed(name: NeedName): Promise<NeedAnswer> {
  const need = needs[name]
  if (await need.isMet()) return null
  try {
    await need.meet()
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), line: need.line }
  }
  return (await need.isMet()) ? null : { why: `${name} is missing`, line: need.line }
}

interface Need {
  isMet: () => Promise<boolean>
  meet: () => Promise<void>
  /** What a person would type. */
  line: string
}

const needs: Record<NeedName, Need> = {
  node: program('node', 'nodejs'),
  git: program('git', 'git'),
  curl: program('curl', 'curl'),
  openssl: program('openssl', 'openssl'),
  chromium: {
    isMet: async () => isBrowserInstalled(),
    // With fonts, so that its screenshots look like what people see.
    meet: () => aptInstall(['chromium', 'fonts-liberation', 'fonts-dejavu-core']),
    line: 'sudo apt-get install --yes chromium fonts-liberation fonts-dejavu-core',
  },
  prometheus: {
    isMet: async () => isPrometheusInstalled(),
    meet: async () => {
      await withProgress('installing prometheus', installPrometheus)
    },
    line: prometheusInstallLine,
  },
  minio: built('minio', '1.24'),
  rgw: {
    isMet: async () => isRgwInstalled(),
    meet: async () => {
      await withProgress('installing ceph rgw', installRgw)
    },
    line: rgwInstallLine,
  },
  pip: {
    isMet: isSeaweedfsInstalled,
    meet: async () => {
      if (findPip() === null) await aptInstall(['python3-pip'])
      await withProgress('installing seaweedfs', installSeaweedfs)
    },
    line: 'sudo apt-get install --yes python3-pip',
  },
  compose: {
    isMet: async () => (await isServerBuilt('mc')) && (await isServerBuilt('docker-compose')),
    meet: async () => {
      await ensureGo()
      await withProgress('building mc', (onProgress) => buildServer('mc', { onProgress }))
      await withProgress('building compose', (onProgress) => buildServer('docker-compose', { onProgress }))
    },
    line: 'install Go 1.26.8 or newer: https://go.dev/dl/',
  },
  docker: {
    // Without a running engine the tests start their own, which takes root.
    isMet: async () => (await whyNoDocker()) === null || (isRootOnDebian() && Bun.which('dockerd') !== null),
    meet: () => aptInstall(['docker.io', 'iptables']),
    line: 'sudo apt-get install --yes docker.io && sudo systemctl start docker',
  },
  haproxy: {
    // The folder of programs that only root runs, which may not be on PATH.
    isMet: async () => existsSync('/usr/sbin/haproxy'),
    meet: () => aptInstall(['haproxy']),
    line: 'sudo apt-get install --yes haproxy',
  },
  loki: built('loki', '1.26.5'),
  tempo: built('tempo', '1.25.1'),
  'otel-collector': built('otel-collector', '1.26'),
  toxiproxy: built('toxiproxy', '1.24'),
}

function built(server: BuiltServer, go: string): Need {
  return {
    isMet: () => isServerBuilt(server),
    meet: async () => {
      await ensureGo()
      await withProgress(`building ${server}`, (onProgress) => buildServer(server, { onProgress }))
    },
    line: `install Go ${go} or newer: https://go.dev/dl/`,
  }
}

function program(name: string, debianPackage: string): Need {
  return {
    isMet: async () => Bun.which(name) !== null,
    meet: () => aptInstall([debianPackage]),
    line: `sudo apt-get install --yes ${debianPackage}`,
  }
}

/** From Go 1.21 on a toolchain fetches the version that a module asks for. */
async function ensureGo(): Promise<void> {
  if (findGo() === null) await aptInstall(['golang-go'])
  const go = findGo()
  const { stdout } = await runCommand([go ?? 'go', 'env', 'GOVERSION'])
  if (!Bun.semver.satisfies(stdout.trim().replace(/^go/, ''), '>=1.21.0')) {
    throw new Error(`Go is ${stdout.trim() || 'missing'}, and servers are built with 1.24 or newer`)
  }
}
