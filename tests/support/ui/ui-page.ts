import type { RenderResult } from '@testing-library/react'
import type { TokenRequest } from '../../../service/cli/local-issuer/access-token.ts'
import type { WorkerPort } from '../../../service/ui/transfers/transfers.ts'
import type { FromWorker } from '../../../service/ui/transfers/worker-messages.ts'
import { runTransfers } from '../../../service/ui/transfers/worker-transfers.ts'
import type { Ui } from '../../../service/ui/ui.tsx'
import { goTo } from './ui-dom.ts'
import type { ServiceForUi } from './ui-service.ts'

export interface PageOptions {
  path?: string
  /** Who signs in; `null` for no one. */
  as?: Partial<TokenRequest> | null
  createWorker?: () => WorkerPort
}

export interface OpenPage extends Ui, Pick<RenderResult, 'container' | 'unmount'> {
  /** What the browser saved. */
  saved: { name: string; blob: Blob }[]
}

/**
 * The whole UI in the document of the test, signed in with a link's code, on a real service.
 *
 * @param render of the testing library that `openDom` gave
 */
export async function openPage(
  render: (element: Ui['element']) => RenderResult,
  service: ServiceForUi,
  { path = '/', as = {}, createWorker = workerInProcess }: PageOptions = {},
): Promise<OpenPage> {
  goTo(path)
  const { createUi } = await import('../../../service/ui/ui.tsx')
  const { createOidcIssuer } = await import('../../../service/ui/session/oidc-issuer.ts')
  // Loaded at its first use, and read and translated then: on a busy machine that takes longer than a test waits.
  await import('../../../service/ui/listing/list-page.tsx')
  await import('../../../service/ui/document/document-page.tsx')
  await import('../../../service/ui/document/history-page.tsx')
  await import('../../../service/ui/rollout/rollout-page.tsx')
  const saved: OpenPage['saved'] = []
  const ui = createUi({
    settings: service.settings,
    origin: service.origin,
    issuer: createOidcIssuer(service.settings, service.origin, sessionStorage),
    createWorker,
    save: (blob, name) => saved.push({ name, blob }),
  })
  await ui.session.start(as === null ? null : await service.issuer.signInCode(as))
  const { container, unmount } = render(ui.element)
  return { ...ui, saved, container, unmount }
}

/** The program of the worker without a thread of its own: messages go and come as they would. */
export function workerInProcess(): WorkerPort {
  let alive = true
  const later = (deliver: () => void) => setTimeout(() => alive && deliver(), 0)
  const transfers = runTransfers((data) =>
    later(() => port.onmessage?.({ data } as MessageEvent<FromWorker>)),
  )
  const port: WorkerPort = {
    postMessage: (message) => void later(() => transfers.receive(message)),
    onmessage: null,
    onerror: null,
    terminate: () => {
      alive = false
    },
  }
  return port
}
