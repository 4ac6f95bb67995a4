/**
 * The fingerprint that Loki gives a stream, hexadecimal as in its chunks' keys: xxHash64 over its labels by name,
 * each name and value with a byte 0xff after it (`Labels.HashWithoutLabels` of prometheus/prometheus).
 */
export function streamFingerprint(labels: Readonly<Record<string, string>>): string {
  const separator = Buffer.of(0xff)
  const parts = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([name, value]) => [Buffer.from(name), separator, Buffer.from(value), separator])
  return Bun.hash.xxHash64(Buffer.concat(parts)).toString(16)
}
