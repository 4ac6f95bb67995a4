import { YAML } from 'bun'
import type { SourceFile } from './source-imports.ts'

/** What is wrong with a compose file: not YAML, an image without a fixed tag, a port open to the network. */
export function composeProblems({ path, text }: SourceFile): string[] {
  const file = parse(text)
  if (!isRecord(file)) return [`${path}: not a YAML mapping`]
  const services = isRecord(file.services) ? Object.entries(file.services) : []
  return services.flatMap(([name, service]) => {
    if (!isRecord(service)) return [`${path}: service ${name} is no mapping`]
    return [...imageProblems(service.image), ...portProblems(service.ports)].map(
      (problem) => `${path}: ${name}: ${problem}`,
    )
  })
}

/** A fixed tag stands after the last colon, and `${VARIABLE:-default}` counts by its default. */
function imageProblems(image: unknown): string[] {
  if (image === undefined) return []
  const name = String(image).replace(/^\$\{\w+:-(.*)\}$/, '$1')
  const tag = /:([\w][\w.-]*)$/.exec(name)?.[1]
  return tag === undefined || tag === 'latest' ? [`image ${name} has no fixed tag`] : []
}

function portProblems(ports: unknown): string[] {
  const published = Array.isArray(ports) ? ports.map(String) : []
  return published
    .filter((port) => !port.startsWith('127.0.0.1:'))
    .map((port) => `port ${port} is open to the network`)
}

function parse(text: string): unknown {
  try {
    return YAML.parse(text)
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
