import type { Usage } from '../wire/answers.ts'
import { jsonMembers, listedFrom } from './answers.ts'
import type { Send } from './transport.ts'

/** See `DocumentsClient.usage`. */
export async function usage(send: Send, signal: AbortSignal | undefined): Promise<Usage> {
  const members = await jsonMembers(await send({ method: 'GET', path: '/usage', signal }))
  return {
    tenant: members.text('tenant'),
    startedAt: members.text('startedAt'),
    finishedAt: members.text('finishedAt'),
    types: members.list('types').map((row) => ({
      type: row.text('type'),
      documents: row.count('documents'),
      versions: row.count('versions'),
      bytes: row.count('bytes'),
    })),
    newest: members.list('newest').map(listedFrom),
  }
}
