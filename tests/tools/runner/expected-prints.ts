/** A place where something that looks like a secret is allowed: decided case by case, and as narrow as possible. */
export interface ExpectedPrint {
  /** Name of the file. */
  file: RegExp
  form: string
  /** The whole line. */
  line: RegExp
  why: string
}

/** The beginning of every code of a sign-in link (`service/cli/local-issuer/sign-in-code.ts`); no access token begins like this. */
const signInCode = Buffer.from('{"alg":"ES256","typ":"sign-in-code+j').toString('base64url')

/**
 * All of them. None is about what the service or its clients print: a signed address, a ticket or a token in their
 * logs is always a defect.
 */
const expectedPrints: readonly ExpectedPrint[] = [
  {
    // The names that the runner gives to it, and that tests give to those that they start.
    file: /^(?:ceph-rgw|radosgw)/,
    form: 'a signature in an address or a form',
    line: / beast: 0x[0-9a-f]+: \S+ - \S+ \[[^\]]+\] "(?:GET|HEAD|PUT|POST|DELETE|OPTIONS) \/\S*[?&]X-Amz-Signature=[0-9a-f]{64}/,
    why: "the gateway's access log has the address of every request: the operator of a store sees signed ones",
  },
  {
    file: /^start-\d+\.log$/,
    form: 'a signed token',
    line: new RegExp(`^ready http://127\\.0\\.0\\.1:\\d+/#sign-in=${signInCode}[\\w-]*\\.[\\w-]+\\.[\\w-]+$`),
    why: 'start prints the link for signing in: its code is not a token, and is valid once, for an hour',
  },
]

/** Returns the entry that allows this text, `undefined` if it is not allowed. */
export function expectationOf(printed: {
  file: string
  form: string
  line: string
}): ExpectedPrint | undefined {
  return expectedPrints.find(
    ({ file, form, line }) =>
      form === printed.form && file.test(printed.file) && line.test(printed.line.trimEnd()),
  )
}
