import { Type } from '@sinclair/typebox'
import type { DocumentsClient } from '../../client/client.ts'
import type { DocumentName } from '../../client/references.ts'
import { pause } from '../../client/retry.ts'
import type { Tag } from '../../wire/answers.ts'
import { UsageError } from '../command.ts'
import { failureSentence, printable, printJson, printLine } from '../output.ts'
import { readStateFile, writeStateFile } from '../state-file.ts'
import { parseDocument } from './reference.ts'

export interface WatchFlags {
  tag: string
  exec?: string
  state?: string
  json?: boolean
}

/** The last move that was seen, or that the command has dealt with, so that a later run continues from there. */
const WatchState = Type.Object({ document: Type.String(), tag: Type.String(), etag: Type.String() })

/** A command that fails is run again after a pause that doubles from the first to the second of these. */
const retrySecondsMin = 1
const retrySecondsMax = 60

/**
 * Follows a tag until it is interrupted: prints each move, and runs a command for it. A command that fails is run again,
 * for the move that is the last one by then; a move counts as dealt with once its command has ended well.
 */
export async function watchDocument(
  client: DocumentsClient,
  document: string,
  flags: WatchFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = parseDocument(document)
  let etag = await etagOf(document, flags)
  let failures = 0
  const onTrouble = (error: unknown) => note(failureSentence(error) ?? 'the service stopped answering')
  for (;;) {
    for await (const moved of client.watchTag(ref, flags.tag, { etag, onTrouble, signal })) {
      if (!moved) note(`${document} has no tag ${flags.tag}: nothing is done until it has one`)
      else if (await handle(ref, moved, flags, signal)) {
        failures = 0
        etag = moved.etag
        if (flags.state !== undefined) await writeStateFile(flags.state, { document, tag: flags.tag, etag })
      } else {
        failures += 1
        break
      }
    }
    // From the last move that was dealt with, so that the one that is the last by now comes next.
    await pause(Math.min(retrySecondsMin * 2 ** (failures - 1), retrySecondsMax), signal)
  }
}

/** @throws {UsageError} for a state of another tag */
async function etagOf(document: string, { tag, state: file }: WatchFlags): Promise<string | undefined> {
  const state = file === undefined ? null : await readStateFile(file, WatchState)
  if (state === null || (state.document === document && state.tag === tag)) return state?.etag
  throw new UsageError(`the state file belongs to tag ${state.tag} of ${state.document}: choose another file`)
}

/** @returns whether the move is dealt with. */
async function handle(
  ref: DocumentName,
  moved: Tag,
  { exec, json }: WatchFlags,
  signal: AbortSignal,
): Promise<boolean> {
  if (json) await printJson(moved)
  else
    await printLine(
      `${moved.movedAt}  ${moved.digest}  ${moved.movedBy}  ${ref.type}/${ref.name}@${moved.tag}`,
    )
  if (exec === undefined) return true
  const child = Bun.spawn(['/bin/sh', '-c', exec], {
    env: { ...process.env, ...variablesOf(moved) },
    stdin: 'ignore',
    // What is printed here is for machines with --json.
    stdout: json ? Bun.stderr : 'inherit',
    stderr: 'inherit',
  })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const code = await child.exited
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (code !== 0) note(`the command ended with ${code}: it is run again`)
  return code === 0
}

function variablesOf({ tenant, type, name, tag, digest, movedAt, movedBy }: Tag): Record<string, string> {
  return {
    ...{ DOCUMENT_TENANT: tenant, DOCUMENT_TYPE: type, DOCUMENT_NAME: name, DOCUMENT_TAG: tag },
    ...{ DOCUMENT_DIGEST: digest, DOCUMENT_MOVED_AT: movedAt, DOCUMENT_MOVED_BY: movedBy },
  }
}

function note(text: string): void {
  process.stderr.write(`note: ${printable(text)}\n`)
}
