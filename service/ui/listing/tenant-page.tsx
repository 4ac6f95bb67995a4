import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { DocumentsClient } from '../../client/client.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'

/** What kinds of documents a tenant has. */
export function TenantPage({ tenant }: { tenant: string }) {
  const { read } = usePermissions()
  const seen = useSeenTypes(tenant, read)
  const known = new Set(knownTypes.map(({ type }) => type))
  const others = (seen.data ?? []).filter((type) => !known.has(type))
  const isSeen = (type: string) => seen.data?.includes(type) ?? false
  return (
    <main className="page">
      <PageHeading title={tenant}>Documents</PageHeading>
      {!read && <MissingScope what="list documents" scope={scopes.read} />}
      {seen.isError && <ErrorNote error={seen.error} onRetry={() => seen.refetch()} />}
      <nav aria-label="Document types" aria-busy={seen.isPending && read}>
        <ul className="types">
          {knownTypes.map(({ type, holds }) => (
            <TypeItem key={type} tenant={tenant} type={type} holds={holds} seen={isSeen(type)} />
          ))}
          {others.map((type) => (
            <TypeItem key={type} tenant={tenant} type={type} holds="A type of this tenant's own" seen />
          ))}
        </ul>
      </nav>
      <OtherType tenant={tenant} />
    </main>
  )
}

function TypeItem({
  tenant,
  type,
  holds,
  seen,
}: Record<'tenant' | 'type' | 'holds', string> & { seen: boolean }) {
  return (
    <li className={seen ? 'type type-seen' : 'type'}>
      <Icon name="folder" />
      <Link href={listPath(tenant, type)}>{type}</Link>
      <p>{holds}</p>
      {seen && <span className="badge">has documents</span>}
    </li>
  )
}

function OtherType({ tenant }: { tenant: string }) {
  const [, navigate] = useLocation()
  const [type, setType] = useState('')
  const [wrong, setWrong] = useState(false)
  const fieldId = useId()
  const hintId = useId()
  const open = (event: FormEvent) => {
    event.preventDefault()
    if (hasForm('type', type)) navigate(listPath(tenant, type))
    else setWrong(true)
  }
  return (
    <form className="inline-form" onSubmit={open} noValidate>
      <label htmlFor={fieldId}>Other type</label>
      <input
        id={fieldId}
        type="text"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        placeholder="invoices"
        value={type}
        aria-invalid={wrong}
        aria-describedby={wrong ? hintId : undefined}
        onChange={(event) => {
          setType(event.target.value)
          setWrong(false)
        }}
      />
      <button type="submit" className="button">
        Open
      </button>
      {wrong && (
        <p id={hintId} role="alert" className="field-error">
          A type begins with a–z, followed by a–z, 0–9 and hyphens, at most 63 characters.
        </p>
      )}
    </form>
  )
}

/** Types of which the tenant has documents: those known, and others as far as the beginning of its listing shows. */
function useSeenTypes(tenant: string, enabled: boolean) {
  const call = useDocumentsCall()
  return useQuery({
    queryKey: ['types', tenant],
    queryFn: ({ signal }) => call(tenant, (documents) => seenTypes(documents, signal)),
    enabled,
  })
}

/** The API lists documents, not types: one row tells that there is one. */
async function seenTypes(documents: DocumentsClient, signal: AbortSignal): Promise<string[]> {
  const asked = knownTypes.map(({ type }) => documents.listPage({ type, limit: 1, signal }))
  const pages = await Promise.all([documents.listPage({ limit: 1000, signal }), ...asked])
  return [...new Set(pages.flatMap(({ rows }) => rows.map(({ type }) => type)))]
}

/** Types that the platform knows. The set is open: any other can be typed in. */
const knownTypes: readonly { type: string; holds: string }[] = [
  { type: 'deployment-bundles', holds: 'Deployable bundles, with tags that say where each is rolled out' },
  { type: 'definitions', holds: 'Descriptions of services and their resources' },
  { type: 'audit-exports', holds: 'Who did what and when, for audits' },
  { type: 'diagnostics', holds: 'Dumps and traces of an investigation' },
  { type: 'snapshots', holds: 'State at one moment, to return to' },
]
