import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'

interface Known {
  name: string
  password: string
}

/** Answers below `/interaction/`: one page that asks for a name and a password, and what it posts. */
export function signInPages(
  provider: Provider,
  people: ReadonlyMap<string, Known>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      if (request.method !== 'POST') {
        await provider.interactionDetails(request, response)
        return showPage(response, 200)
      }
      const form = new URLSearchParams(await textOf(request))
      const person = people.get(form.get('name') ?? '')
      if (person === undefined || person.password !== form.get('password')) return showPage(response, 403)
      const result = { login: { accountId: person.name } }
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
    } catch (error) {
      // The interaction is over, or was never there.
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(String(error))
    }
  }
}

/** Asks whether to sign out (OpenID Connect RP-Initiated Logout 1.0, section 2). @param form of the provider's */
export function signOutPage(form: string): string {
  return `<!doctype html><html lang="en"><title>Identity provider</title><main><h1>Sign out?</h1>${form}
<button form="op.logoutForm" name="logout" value="yes">Yes, sign out</button></main></html>`
}

function showPage(response: ServerResponse, status: 200 | 403): void {
  const refused = status === 403 ? '<p role="alert">Wrong name or password</p>' : ''
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).end(
    `<!doctype html><html lang="en"><title>Identity provider</title><main><h1>Identity provider</h1>${refused}
<form method="post"><p><label>Name <input name="name" autocomplete="off"></label>
<p><label>Password <input name="password" type="password"></label>
<p><button>Continue</button></form></main></html>`,
  )
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
