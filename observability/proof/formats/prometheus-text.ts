/**
 * Returns the sum of all series of a metric in the Prometheus text format (prometheus.io, "Exposition formats"), or
 * `null` if there is no such series.
 *
 * @param labels only series that have these; default: all.
 */
export function metricSum(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(pair)))
    .map((line) =>
      Number(
        line
          .slice(line.lastIndexOf('}') + 1 || name.length)
          .trim()
          .split(' ')[0],
      ),
    )
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
}
