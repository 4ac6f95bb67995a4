import { describe, expect, it } from 'bun:test'
import { bearerChallenge } from '../../../../../service/http/headers/bearer-challenge.ts'

describe('bearerChallenge', () => {
  it('says how to authenticate, and nothing about credentials that were not sent', () => {
    expect(bearerChallenge()).toBe('Bearer realm="documents"')
  })

  it('says why a token was not enough, and which scope would be', () => {
    expect(bearerChallenge({ error: 'invalid_token', description: 'The token has expired.' })).toBe(
      'Bearer realm="documents", error="invalid_token", error_description="The token has expired."',
    )
    expect(bearerChallenge({ error: 'insufficient_scope', scope: 'documents:read' })).toBe(
      'Bearer realm="documents", error="insufficient_scope", scope="documents:read"',
    )
  })

  it('keeps to the characters of RFC 6750, so that a header with it can be sent', () => {
    const description = 'its "sub" is not 1–255 characters \\ zoë\r\nx: y'
    const challenge = bearerChallenge({ error: 'invalid_token', description })
    expect(challenge).toEndWith(`error_description="its 'sub' is not 1-255 characters ? zo???x: y"`)
    expect(new Headers({ 'www-authenticate': challenge }).get('www-authenticate')).toBe(challenge)
  })
})
