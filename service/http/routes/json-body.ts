import type { Static, TSchema } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import { ProblemError } from '../problem.ts'
import { checked } from '../request-form.ts'

/**
 * Reads a small JSON body of a known shape, and no more of it than it may have: the edge has looked at the
 * declared size only.
 *
 * @throws {ProblemError} `body_too_large`, `request_invalid`
 */
export async function readJson<Schema extends TSchema>(
  request: Request,
  schema: Schema,
): Promise<Static<Schema>> {
  return checked('body', schema, parse(await readText(request)))
}

/** As {@link readJson}, where the body may be left out. */
export async function readOptionalJson<Schema extends TSchema>(
  request: Request,
  schema: Schema,
): Promise<Static<Schema> | undefined> {
  const text = await readText(request)
  return text === '' ? undefined : checked('body', schema, parse(text))
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > limits.jsonBodyBytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProblemError('request_invalid', 'The body is not JSON.')
  }
}

function tooLarge(): ProblemError {
  return new ProblemError('body_too_large', `A JSON body may have ${limits.jsonBodyBytesMax} bytes at most.`)
}
