/** A place where what looks like a secret is right: decided one by one, and as narrow as it can be said. */
export interface ExpectedPrint {
  /** Name of the file. */
  file: RegExp
  form: string
  /** The whole line. */
  line: RegExp
  why: string
}

/**
 * All of them. None is about what the service or its clients print: a signed address, a ticket or a token in their
 * logs is a defect, whoever caused it.
 */
const expectedPrints: readonly ExpectedPrint[] = [
  {
    file: /^ceph-rgw/,
    form: 'a signature in an address or a form',
    line: / beast: 0x[0-9a-f]+: \S+ - \S+ \[[^\]]+\] "(?:GET|HEAD|PUT|OPTIONS) \/\S*[?&]X-Amz-Signature=[0-9a-f]{64}/,
    why: "the gateway's access log has the address of every request as it came: a store's operator sees signed ones",
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
