const formats: { short: Intl.DateTimeFormat; exact: Intl.DateTimeFormat } = {
  short: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
  exact: new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' }),
}

/** Returns an RFC 3339 time as text, in the reader's own zone, where there is no room for an element. */
export function shortTime(value: string): string {
  const date = new Date(value)
  return Number.isNaN(date.valueOf()) ? value : formats.short.format(date)
}

/** An RFC 3339 time in the reader's own zone, to the second when pointed at. */
export function Time({ value }: { value: string }) {
  const date = new Date(value)
  if (Number.isNaN(date.valueOf())) return <span>{value}</span>
  return (
    <time dateTime={value} title={formats.exact.format(date)}>
      {formats.short.format(date)}
    </time>
  )
}
