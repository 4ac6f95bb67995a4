import { describe, expect, it } from 'bun:test'
import { composeProblems } from '../../../../tools/checks/compose-rules.ts'
import {
  looseVersions,
  servicePackagesInDev,
  undeclaredPackages,
  unusedPackages,
} from '../../../../tools/checks/package-rules.ts'
import { committedSecrets } from '../../../../tools/checks/secret-search.ts'

const usesJose = [{ path: 'service/authn/a.ts', text: "import { jwtVerify } from 'jose'\n" }]

describe('looseVersions', () => {
  it('takes one version and refuses ranges, tags and addresses', () => {
    expect(looseVersions({ dependencies: { jose: '6.2.18', next: '1.0.0-rc.1' } })).toEqual([])
    const loose = { a: '^6.2.18', b: '~1.0.0', c: 'latest', d: '1.x', e: 'git+https://example.org/e' }
    expect(looseVersions({ devDependencies: loose })).toHaveLength(5)
  })
})

describe('unusedPackages', () => {
  it('names a package that no file imports', () => {
    expect(unusedPackages({ dependencies: { jose: '6.2.18' } }, usesJose)).toEqual([])
    expect(unusedPackages({ dependencies: { 'left-pad': '1.3.0' } }, usesJose)).toEqual([
      'package.json: nothing uses left-pad',
    ])
  })

  it('counts types as used where their package is', () => {
    expect(unusedPackages({ devDependencies: { '@types/jose': '1.0.0' } }, usesJose)).toEqual([])
    expect(unusedPackages({ devDependencies: { '@types/left-pad': '1.0.0' } }, usesJose)).toHaveLength(1)
  })
})

describe('undeclaredPackages', () => {
  it('names an import that package.json does not', () => {
    expect(undeclaredPackages({ dependencies: { jose: '6.2.18' } }, usesJose)).toEqual([])
    expect(undeclaredPackages({}, usesJose)).toHaveLength(1)
  })
})

describe('servicePackagesInDev', () => {
  it('lets scripts use development dependencies, and not the service', () => {
    const file = { devDependencies: { jose: '6.2.18' } }
    expect(servicePackagesInDev(file, usesJose)).toHaveLength(1)
    const script = [{ path: 'service/cli/a.ts', text: "import 'jose'\n" }]
    expect(servicePackagesInDev(file, script)).toEqual([])
  })
})

describe('composeProblems', () => {
  const problems = (text: string) => composeProblems({ path: 'compose/x.yaml', text })
  const chosen = (image: string) => `$\{A_IMAGE:-${image}}`
  const complete = {
    image: chosen('a/b:1.2.3'),
    user: '10001:10001',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    logging: { driver: 'local', options: { 'max-size': '10m' } },
    healthcheck: { test: ['CMD', '/a', 'health'] },
    stop_grace_period: '10s',
    ports: ['127.0.0.1:9000:9000'],
    environment: { PASSWORD_FILE: '/run/secrets/password' },
  }
  /** What is wrong with a complete service after this change to it. */
  const changed = (change: Record<string, unknown>) =>
    problems(JSON.stringify({ services: { a: { ...complete, ...change } } }))

  it('takes a service that is complete', () => {
    expect(changed({})).toEqual([])
  })

  it('takes an overlay that changes a service of another file', () => {
    expect(problems('services:\n  a:\n    environment: { LOG_LEVEL: debug }\n')).toEqual([])
  })

  it('refuses a service with one of these faults', () => {
    const faults: Record<string, unknown>[] = [
      // Images without a fixed tag.
      ...[{ image: 'localhost:5000/a' }, { image: 'a:latest' }, { image: chosen('a') }],
      // A port that is open to the network, and a secret in the environment.
      ...[{ ports: ['9000:9000'] }, { environment: { AWS_SECRET_ACCESS_KEY: 'x' } }],
      // More rights than a container needs.
      ...[{ user: undefined }, { user: chosen('0:0') }, { read_only: false }, { cap_drop: ['NET_RAW'] }],
      { security_opt: [] },
      // No health check, no time to stop in, no end to its log.
      ...[{ healthcheck: undefined }, { stop_grace_period: undefined }, { logging: undefined }],
    ]
    expect(faults.filter((fault) => changed(fault).length !== 1)).toEqual([])
  })

  it('refuses an open port and a secret in the environment in an overlay, too', () => {
    expect(problems('services:\n  a:\n    ports: ["0.0.0.0:9000:9000"]\n')).toHaveLength(1)
    expect(problems('services:\n  a:\n    environment: ["GF_ADMIN_PASSWORD=x"]\n')).toHaveLength(1)
  })

  it('wants no health check of a one-shot', () => {
    expect(changed({ restart: 'no', healthcheck: undefined, stop_grace_period: undefined })).toEqual([])
  })

  it('takes no file for a Swarm that has what a Swarm ignores', () => {
    const { security_opt: _ignored, ports: _loopback, ...agreed } = complete
    const forSwarm = (change: object) => {
      const a = { ...agreed, deploy: { resources: { limits: { memory: '1g' } } }, ...change }
      return problems(JSON.stringify({ 'x-stack': 'yes', services: { a } }))
    }
    expect(forSwarm({})).toEqual([])
    expect(forSwarm({ security_opt: ['no-new-privileges:true'] })).toHaveLength(1)
    expect(forSwarm({ depends_on: ['b'], restart: 'always' })).toHaveLength(2)
    expect(forSwarm({ deploy: {} })).toEqual(['compose/x.yaml: a: its memory has no limit'])
  })

  it("lets a port be the node's on a Swarm alone", () => {
    const ports = [{ target: 8443, published: 443, mode: 'host' }]
    const stack = (head: object) => problems(JSON.stringify({ ...head, services: { a: { ports } } }))
    expect(stack({ 'x-stack': 'yes' })).toEqual([])
    expect(stack({})).toHaveLength(1)
    expect(problems('x-stack: yes\nservices:\n  a:\n    ports: ["443:443"]\n')).toHaveLength(1)
  })

  it('refuses what is not YAML', () => {
    expect(problems('services: [')).toHaveLength(1)
  })
})

describe('committedSecrets', () => {
  it('says in which file and line something looks like a secret', () => {
    const text = `\nconst s = { secretAccessKey: '${crypto.randomUUID().replaceAll('-', 'a1')}' }`
    expect(committedSecrets({ path: 'x.ts', text })).toEqual(['x.ts, line 2: looks like a secret access key'])
  })
})
