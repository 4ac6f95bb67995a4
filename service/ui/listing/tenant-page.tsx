import { useInfiniteQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'

/** The types of which a tenant has documents, and a way to any other. */
export function TenantPage({ tenant }: { tenant: string }) {
  const { read } = usePermissions()
  return (
    <main className="page">
      <PageHeading title={tenant}>Documents</PageHeading>
      {read ? <Types tenant={tenant} /> : <MissingScope what="list documents" scope={scopes.read} />}
      <OtherType tenant={tenant} />
    </main>
  )
}

function Types({ tenant }: { tenant: string }) {
  const types = useTypes(tenant)
  const rows = types.data?.pages.flatMap((page) => page.rows) ?? []
  return (
    <>
      {types.isPending && <Loading />}
      {types.isError && (
        <ErrorNote
          error={types.error}
          onRetry={() => (types.data ? types.fetchNextPage() : types.refetch())}
        />
      )}
      {types.isSuccess && rows.length === 0 && !types.hasNextPage && (
        <div className="empty">
          <Icon name="folder" />
          <p>This tenant has no documents yet</p>
          <p className="quiet">Enter a type below, open it and upload the first files there.</p>
        </div>
      )}
      {rows.length > 0 && (
        <nav aria-label="Document types">
          <ul className="types">
            {rows.map((type) => (
              <li key={type} className="type">
                <Icon name="folder" />
                <Link href={listPath(tenant, type)}>{type}</Link>
              </li>
            ))}
          </ul>
        </nav>
      )}
      {types.hasNextPage && !types.isError && (
        <LoadMore
          text="Load more types"
          isLoading={types.isFetchingNextPage}
          onLoad={() => types.fetchNextPage()}
        />
      )}
    </>
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
      <label htmlFor={fieldId}>Other or new type</label>
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

/** The types of a tenant, page by page. */
function useTypes(tenant: string) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['types', tenant],
    queryFn: ({ pageParam, signal }) =>
      call(tenant, (documents) => documents.typesPage({ limit: pageRows, cursor: pageParam, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  })
}

const pageRows = 100
