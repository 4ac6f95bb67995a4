import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { redactText } from '../../service/telemetry/redaction.ts'

/** A folder with everything that a run has seen. It contains no secret: see `write`. */
export interface Evidence {
  /** Absolute path. */
  folder: string
  /**
   * Keeps `text` under a path below the folder, such as `loki/listing-before.txt`. What looks like a secret, or is
   * registered as one (service/telemetry/redaction.ts), is redacted line by line, and very long lines are cut.
   */
  write(path: string, text: string): Promise<void>
}

/** Returns the evidence of a folder. @param folder absolute path; created with the first text, mode 0700. */
export function evidenceIn(folder: string): Evidence {
  return {
    folder,
    async write(path, text) {
      const file = join(folder, path)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(file, text.split('\n').map(redactText).join('\n'), { mode: 0o600 })
    },
  }
}

/** Returns JSON with one member per line, so that no line has to be cut; other text stays as it is. */
export function readableJson(text: string): string {
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`
  } catch {
    return text
  }
}
