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
    return plain('sign_in_failed', 'Signing in failed', error instanceof Error ? error.message : '')
  }
  return { ...plain(error.code, ...refusal(error.code)), advice: adviceFor(error.code) }
}

function refusal(code: string): [title: string, detail: string] {
  if (code === 'invalid_grant') return ['This is no longer valid', 'It was used before or has expired.']
  if (code === 'access_denied') return ['Access was denied', 'You or the issuer cancelled the sign-in.']
  if (code === 'link_invalid') return ['This is not a sign-in link', 'It does not end with a code.']
  if (code === 'links_not_taken')
    return ['Sign-in links are not accepted here', 'The issuer has a sign-in page.']
  if (code === 'state_unknown')
    return ['This sign-in was not started here', 'It may come from another tab or have expired.']
  if (code === 'popup_blocked')
    return ['The browser did not open a window', 'It blocks pop-ups of this page.']
  if (code === 'no_refresh_token') return ['The session has ended', 'It cannot be renewed.']
  return ['The issuer refused the sign-in', `Its answer was ${code}.`]
}

function adviceFor(code: string): string {
  if (code === 'invalid_grant') return 'Sign in again. A sign-in link works once, within an hour.'
  if (code === 'link_invalid') return 'Paste the whole link, including the part after #sign-in=.'
  if (code === 'state_unknown') return 'Sign in again.'
  if (code === 'popup_blocked') return 'Allow pop-ups for this page and try again.'
  return ''
}
