import { describe, expect, it } from 'bun:test'
import { committedSecrets } from '../../../../tools/checks/committed-secrets.ts'
import { composeProblems } from '../../../../tools/checks/compose-rules.ts'
import {
  looseVersions,
  servicePackagesInDev,
  undeclaredPackages,
  unusedPackages,
} from '../../../../tools/checks/package-rules.ts'

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

  it('refuses an image without a tag, and the tag latest', () => {
    expect(changed({ image: 'localhost:5000/a' })).toHaveLength(1)
    expect(changed({ image: 'a:latest' })).toHaveLength(1)
    expect(changed({ image: chosen('a') })).toHaveLength(1)
  })

  it('refuses a port that is open to the network', () => {
    expect(changed({ ports: ['9000:9000'] })).toHaveLength(1)
    expect(problems('services:\n  a:\n    ports: ["0.0.0.0:9000:9000"]\n')).toHaveLength(1)
  })

  it('refuses a secret in the environment, also in an overlay', () => {
    expect(changed({ environment: { AWS_SECRET_ACCESS_KEY: 'x' } })).toHaveLength(1)
    expect(problems('services:\n  a:\n    environment: ["GF_ADMIN_PASSWORD=x"]\n')).toHaveLength(1)
  })

  it('refuses more rights than a container needs', () => {
    expect(changed({ user: undefined })).toHaveLength(1)
    expect(changed({ user: chosen('0:0') })).toHaveLength(1)
    expect(changed({ read_only: false })).toHaveLength(1)
    expect(changed({ cap_drop: ['NET_RAW'] })).toHaveLength(1)
    expect(changed({ security_opt: [] })).toHaveLength(1)
  })

  it('refuses a server without a health check, a time to stop in, or an end to its log', () => {
    expect(changed({ healthcheck: undefined })).toHaveLength(1)
    expect(changed({ stop_grace_period: undefined })).toHaveLength(1)
    expect(changed({ logging: undefined })).toHaveLength(1)
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
  const found = (text: string) => committedSecrets({ path: 'x.ts', text })

  it('finds what looks like a real secret, and says where', () => {
    const hex = crypto.randomUUID().replaceAll('-', 'a1')
    expect(found(`\nconst s = { secretAccessKey: '${hex}' }`)).toEqual([
      'x.ts, line 2: looks like a secret access key',
    ])
    expect(found(`AKIA${'Q7'.repeat(8)}`)).toHaveLength(1)
    expect(found(`"d":"${hex}${hex}"`)).toHaveLength(1)
    const signed = ['eyJ', 'eyJ', ''].map((start) => start + hex).join('.')
    expect(found(signed)).toHaveLength(1)
  })

  it('passes names, places of secrets and what is made at run time', () => {
    expect(found('const secretAccessKey = randomBytes(20).toString("hex")')).toEqual([])
    expect(found("secretFile: '/run/secrets/minio_root_password_of_the_store'")).toEqual([])
    expect(found('-----BEGIN PRIVATE KEY-----')).toEqual([])
  })
})
