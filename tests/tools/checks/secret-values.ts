/** The keys of the AWS documentation say so themselves. */
export function isNoExample([text]: RegExpExecArray): boolean {
  return !text.includes('EXAMPLE')
}

/** True if the first group is base64 of `<user>:<password>` (RFC 7617 section 2), and the password no mere word. */
export function hasAccount([, encoded = '']: RegExpExecArray): boolean {
  const account = Buffer.from(encoded, 'base64').toString('latin1')
  return /^[\x21-\x7e]+:(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[\x21-\x7e]{8,}$/.test(account)
}
