/** RFC 9110 section 12.4.2: a weight of at most three decimals. */
const elementForm = /^([a-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

/**
 * Chooses the content coding to answer with (RFC 9110 section 12.5.3).
 *
 * @param header value of `Accept-Encoding`; `null` without one, which means that nothing is known of the client.
 * @param available codings that there are, in the order of our preference; `identity` is always there.
 * @returns one of `available`, or `identity`, also where the client wants none of them: better than no answer.
 */
export function chooseCoding<Coding extends string>(
  header: string | null,
  available: readonly Coding[],
): Coding | 'identity' {
  const weights = weightsOf(header ?? '')
  const best = available
    .map((coding) => ({ coding, weight: weights.get(coding) ?? weights.get('*') ?? 0 }))
    .reduce<{ coding: Coding | 'identity'; weight: number }>(
      (found, next) => (next.weight > found.weight ? next : found),
      { coding: 'identity', weight: 0 },
    )
  return (weights.get('identity') ?? 0) > best.weight ? 'identity' : best.coding
}

/** Malformed elements are ignored. */
function weightsOf(header: string): Map<string, number> {
  const elements = header.split(',').map((element) => elementForm.exec(element.trim()))
  return new Map(
    elements
      .filter((match) => match !== null)
      .map(([, coding = '', weight = '1']) => [coding.toLowerCase(), Number(weight)]),
  )
}
