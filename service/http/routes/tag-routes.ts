import type { Documents } from '../../documents/documents.ts'
import { meets } from '../../documents/tag-condition.ts'
import { limits } from '../../limits.ts'
import type { Tag } from '../../wire/answers.ts'
import { formatEntityTag } from '../../wire/entity-tag.ts'
import { preferredWaitSeconds } from '../headers/prefer.ts'
import { writeCondition } from '../headers/write-condition.ts'
import { readJson } from '../request-form.ts'
import { defineRoute, json, noStore, type Route, recordProblems } from '../route.ts'
import { DocumentPath, TagBody, TagPath, TagShape, TagsShape } from './schemas.ts'

const tagsPath = '/v1/tenants/:tenant/documents/:type/:name/tags'
const tagPath = `${tagsPath}/:tag`
const tagHeaders = { ...noStore, ETag: 'Changes with every move; for If-Match' }
const ifMatch = { 'If-Match': 'Entity tags, one of which the tag must have: compare and set' }
const ifNoneMatch = { 'If-None-Match': 'Entity tags, none of which the tag may have; "*" for a new tag' }

/** Calls on tags, the movable names of versions (ARCHITECTURE.md, "How a tag move runs"). */
export function tagRoutes(documents: Documents): Route[] {
  const shared = { path: tagPath, params: TagPath } as const
  return [
    defineRoute({
      method: 'GET',
      path: tagsPath,
      action: 'tag.list',
      params: DocumentPath,
      summary: 'All tags of a document, and where they point',
      answers: [{ status: 200, description: 'The tags', body: TagsShape, headers: noStore }],
      problems: ['integrity_violated'],
      async handle({ params, request }) {
        return json(200, { tags: await documents.tags(params, request.signal) })
      },
    }),

    defineRoute({
      ...shared,
      method: 'GET',
      action: 'tag.read',
      summary: 'Where a tag points, at once or when it moves',
      requestHeaders: {
        'If-None-Match': 'Entity tags that the client has: 304 for one of them',
        Prefer:
          `wait=<seconds>, at most ${limits.watchSecondsMax}: answers when the tag is other than If-None-Match says, or, ` +
          'without it, when there is such a tag; at the end of the time 304 or 404 (RFC 7240)',
      },
      answers: [
        { status: 200, description: 'The tag', body: TagShape, headers: tagHeaders },
        { status: 304, description: 'The client has it', body: null, headers: tagHeaders },
      ],
      problems: ['integrity_violated'],
      async handle({ params: { tag, ...ref }, request, standBy }) {
        const { headers, signal } = request
        const known = writeCondition(headers)?.ifNoneMatch
        const wanted = preferredWaitSeconds(headers)
        const seconds = Math.min(wanted ?? 0, limits.watchSecondsMax)
        const found =
          seconds > 0
            ? await standBy(() => documents.watchTag(ref, tag, { known, seconds, signal }))
            : await documents.getTag(ref, tag, signal)
        if (meets(found.etag, { ifNoneMatch: known })) return tagResponse(200, found)
        const etag = formatEntityTag(found.etag)
        return new Response(null, { status: 304, headers: { etag, 'cache-control': 'no-store' } })
      },
    }),

    defineRoute({
      ...shared,
      method: 'PUT',
      action: 'tag.put',
      body: { json: TagBody },
      summary: 'Point a tag at a version',
      requestHeaders: { ...ifMatch, ...ifNoneMatch },
      answers: [
        { status: 201, description: 'A new tag', body: TagShape, headers: tagHeaders },
        { status: 200, description: 'The tag has moved', body: TagShape, headers: tagHeaders },
      ],
      problems: ['version_unknown', 'precondition_failed', 'tags_exhausted', ...recordProblems],
      async handle({ params: { tag, ...ref }, request, context }) {
        const { digest } = await readJson(request, TagBody)
        context.found({ digest })
        const { tag: moved, before } = await documents.putTag(ref, tag, {
          digest,
          by: context.principal.subject,
          condition: writeCondition(request.headers),
          signal: request.signal,
        })
        context.found({ previousDigest: before })
        return tagResponse(before === undefined ? 201 : 200, moved)
      },
    }),

    defineRoute({
      ...shared,
      method: 'DELETE',
      action: 'tag.delete',
      summary: 'Remove a tag',
      requestHeaders: ifMatch,
      answers: [{ status: 204, description: 'It is gone', body: null, headers: {} }],
      problems: ['tag_protected', 'precondition_failed', ...recordProblems],
      async handle({ params: { tag, ...ref }, request, context }) {
        const { headers, signal } = request
        const { before } = await documents.deleteTag(ref, tag, { condition: writeCondition(headers), signal })
        context.found({ previousDigest: before })
        return new Response(null, { status: 204 })
      },
    }),
  ]
}

function tagResponse(status: number, { etag, ...tag }: Tag): Response {
  return json(status, tag, { etag: formatEntityTag(etag) })
}
