/** A place where what looks like a secret is right: decided one by one, and as narrow as it can be said. */
export interface ExpectedPrint {
  /** Name of the file. */
  file: RegExp
  form: string
  /** The whole line. */
  line: RegExp
  why: string
}

/** How every code of a sign-in link begins (`service/cli/local-issuer/local-sign-in-code.ts`), and no access token does. */
const signInCode = Buffer.from('{"alg":"ES256","typ":"sign-in-code+j').toString('base64url')

/**
 * All of them. None is about what the service or its clients print: a signed address, a ticket or a token in their
 * logs is a defect, whoever caused it.
 */
const expectedPrints: readonly ExpectedPrint[] = [
  {
    // As the runner calls it, and as one that a test started calls itself.
    file: /^(?:ceph-rgw|radosgw)/,
    form: 'a signature in an address or a form',
    line: / beast: 0x[0-9a-f]+: \S+ - \S+ \[[^\]]+\] "(?:GET|HEAD|PUT|POST|DELETE|OPTIONS) \/\S*[?&]X-Amz-Signature=[0-9a-f]{64}/,
    why: "the gateway's access log has the address of every request as it came: a store's operator sees signed ones",
  },
  {
    file: /^start-\d+\.log$/,
    form: 'a signed token',
    line: new RegExp(`^ready http://127\\.0\\.0\\.1:\\d+/#sign-in=${signInCode}[\\w-]*\\.[\\w-]+\\.[\\w-]+$`),
    why: 'start prints the link by which one signs in: its code is no token, and good once, within an hour',
  },
]

/** The reason why this is right, if it is. */
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
