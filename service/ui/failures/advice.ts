/** What a person can do, by the code of the failure. Codes without a line explain themselves. */
const advice: Readonly<Record<string, string>> = {
  no_answer: 'Check your connection and try again. If it stays so, the service may be down.',
  store_unusable: 'Try again. If it stays so, tell whoever runs the object store.',
  bytes_differ: 'Do not use what was received. Try again; if it stays so, tell the operator the trace id.',
  verification_pending: 'Upload the file again in a few minutes: bytes that have arrived are not sent twice.',
  answer_unreadable:
    'Something between this page and the service may alter answers. Tell the operator the trace id.',
  file_unreadable: 'Choose the file again.',
  credentials_missing: 'Sign in again.',
  credentials_invalid: 'Sign in again.',
  document_not_found: 'It may have been deleted, or the address is wrong.',
  version_unknown: 'It may have been deleted. Reload the versions.',
  conflict: 'Somebody else worked on the same document. Look again and repeat what you wanted.',
  precondition_failed: 'Somebody else changed it since you looked. Look again, then decide.',
  document_too_large: 'Split it, or ask the operator for a higher limit.',
  busy: 'Try again in a few seconds.',
  store_unavailable: 'If it stays so, tell whoever runs the object store.',
  store_refused: 'Tell the operator the trace id.',
  issuer_unavailable: 'If it stays so, tell whoever runs the issuer.',
  integrity_violated: 'Do not use this version. Tell the operator the trace id.',
  internal_error: 'Tell the operator the trace id.',
  cursor_invalid: 'Read the list again from its beginning.',
}

export function adviceFor(code: string): string {
  return advice[code] ?? ''
}

/** The scope that a text names, such as `documents:write`. */
export function scopeIn(text: string): string | null {
  return /\bdocuments:(?:read|write|admin)\b/.exec(text)?.[0] ?? null
}
