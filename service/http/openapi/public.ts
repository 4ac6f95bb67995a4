import type { ProblemCode } from '../../wire/problems.ts'
import { pageHeaders } from '../pages/fixed-page.ts'
import { describeHeaders } from './headers.ts'
import { commonParameters } from './parameters.ts'
import type { ProblemAnswers } from './problem-answers.ts'
import type { Answered, Operation, Parameter, PathItem } from './types.ts'

/** A page that anyone may read. */
interface PublicPage {
  /** With `get` or `head` before it. */
  operationId: string
  summary: string
  parameters: Parameter[]
  answers: PublicAnswer[]
  problems: ProblemCode[]
}

interface PublicAnswer {
  status: number
  description: string
  mediaType?: string
  headers: Readonly<Record<string, string>>
}

const noStore = { 'Cache-Control': 'no-store' }
const ofEveryPage: ProblemCode[] = ['host_invalid', 'internal_error']

const ifNoneMatch: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'Entity tags the client holds: 304 for one of them',
  schema: { type: 'string' },
}

const publicPages: Readonly<Record<string, PublicPage>> = {
  '/livez': {
    operationId: 'Liveness',
    summary: 'Whether the process runs',
    parameters: [],
    answers: [{ status: 200, description: 'It runs', headers: noStore }],
    problems: ofEveryPage,
  },
  '/readyz': {
    operationId: 'Readiness',
    summary: 'Whether work should be sent here',
    parameters: [],
    answers: [
      { status: 200, description: 'Yes', headers: noStore },
      {
        status: 503,
        description: 'No: the object store does not answer, or this is stopping',
        headers: noStore,
      },
    ],
    problems: ofEveryPage,
  },
  '/openapi.json': fixedPage('OpenApi', 'This document', 'application/json'),
  '/docs': fixedPage('Docs', 'This document, to be read by people', 'text/html;charset=utf-8'),
  '/docs/style.css': fixedPage('DocsStyle', 'Style of /docs', 'text/css;charset=utf-8'),
}

/** Paths of the pages that anyone may read. */
export function describePublicPages(problemAnswers: ProblemAnswers): Record<string, PathItem> {
  const described = Object.entries(publicPages).map(([path, page]): [string, PathItem] => {
    const get = describePage(page, problemAnswers)
    const head = { ...get, operationId: `head${page.operationId}` }
    const others = problemAnswers.describe([...ofEveryPage, 'method_not_allowed'])
    return [path, { get, head, 'x-other-methods': others }]
  })
  return Object.fromEntries(described)
}

function describePage(page: PublicPage, problemAnswers: ProblemAnswers): Operation {
  const answers = page.answers.map(({ status, description, mediaType, headers }): [string, Answered] => {
    const described = describeHeaders(headers, { bodiless: status === 304 })
    return [
      String(status),
      { description, headers: described, ...(mediaType && { content: { [mediaType]: {} } }) },
    ]
  })
  return {
    operationId: `get${page.operationId}`,
    summary: page.summary,
    description: 'Needs no token.',
    tags: ['Service'],
    security: [],
    parameters: [...page.parameters, ...commonParameters],
    responses: { ...Object.fromEntries(answers), ...problemAnswers.describe(page.problems) },
  }
}

/** One that stays as it is while this build runs: its entity tag says whether it is still the same. */
function fixedPage(operationId: string, summary: string, mediaType: string): PublicPage {
  const held = { 'Cache-Control': 'no-cache', ETag: 'Changes with what it says' }
  return {
    operationId,
    summary,
    parameters: [ifNoneMatch],
    answers: [
      { status: 200, description: summary, mediaType, headers: { ...held, ...pageHeaders } },
      { status: 304, description: 'The client holds it', headers: held },
    ],
    problems: [...ofEveryPage, 'request_invalid'],
  }
}
