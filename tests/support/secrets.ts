import { appendFileSync } from 'node:fs'

/**
 * Declares that `secret` must never appear in anything that is printed. The runner names the file in
 * `TEST_SECRETS_FILE` and searches all output of the suites for every line of it; outside the runner this
 * does nothing. Call it for every token minted and every key made by a test.
 *
 * @param secret one line, at least 16 characters: shorter ones would be found by chance.
 */
export function registerSecret(secret: string): void {
  if (secret.length < 16 || secret.includes('\n')) throw new Error('not a secret that could be searched for')
  const file = process.env.TEST_SECRETS_FILE
  if (file !== undefined) appendFileSync(file, `${secret}\n`)
}
