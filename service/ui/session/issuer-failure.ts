import { type Failure, plain } from '../failures/failure.ts'
import { IssuerRefusal, IssuerSilence } from './issuer.ts'

/** Why a sign-in did not work, for a person. */
export function issuerFailure(error: unknown): Failure {
  if (error instanceof IssuerSilence) {
    return {
      ...plain(
        'issuer_silent',
        'The issuer does not answer',
        'It could not be reached, or blocks this page.',
      ),
      advice: 'Check your connection and try again.',
    }
  }
  if (!(error instanceof IssuerRefusal)) {
    return plain('sign_in_failed', 'Signing in did not work', error instanceof Error ? error.message : '')
  }
  return { ...plain(error.code, ...refusal(error.code)), advice: adviceFor(error.code) }
}

function refusal(code: string): [title: string, detail: string] {
  if (code === 'invalid_grant') return ['This is not valid any more', 'It was used before, or is too old.']
  if (code === 'access_denied') return ['You were not let in', 'The issuer or you said no.']
  if (code === 'link_invalid') return ['This is not a sign-in link', 'It has no code in its end.']
  if (code === 'links_not_taken') return ['A link does not sign in here', 'The issuer has a page for that.']
  if (code === 'state_unknown')
    return ['This sign-in was not begun here', 'It may be from another tab, or old.']
  if (code === 'popup_blocked') return ['The browser opened no window', 'It blocks windows of this page.']
  if (code === 'no_refresh_token') return ['The session has reached its end', 'It cannot be prolonged.']
  return ['The issuer did not let you in', `It says ${code}.`]
}

function adviceFor(code: string): string {
  if (code === 'invalid_grant') return 'Sign in anew. A sign-in link works once, and for an hour.'
  if (code === 'link_invalid') return 'Paste all of the link, with what follows #sign-in=.'
  if (code === 'state_unknown') return 'Sign in anew.'
  if (code === 'popup_blocked') return 'Let this page open windows, and try again.'
  return ''
}
