import { inspect } from 'node:util'

export const redacted = '[redacted]'

/**
 * A value that must not be printed. Concatenating, logging, inspecting or serialising it shows `[redacted]`;
 * only `reveal()` gives the text, so every place that reads it can be found by name.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [Symbol.toPrimitive](): string {
    return redacted
  }

  /** Honoured by Node's `util.inspect` and by Bun's `console` and `Bun.inspect`. */
  [inspect.custom](): string {
    return redacted
  }
}
