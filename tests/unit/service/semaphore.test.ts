import { describe, expect, it } from 'bun:test'
import { createSemaphore } from '../../../service/semaphore.ts'

const patient = { waitSecondsMax: 10 }
const impatient = { waitSecondsMax: 0.01 }

/** The release, of one that must have been granted. */
function granted(release: (() => void) | null): () => void {
  if (release === null) throw new Error('not granted')
  return release
}

describe('a semaphore', () => {
  it('grants free permits at once', async () => {
    const semaphore = createSemaphore(3)
    expect(await semaphore.acquire(2, impatient)).not.toBe(null)
    expect(await semaphore.acquire(1, impatient)).not.toBe(null)
    expect(await semaphore.acquire(1, impatient)).toBe(null)
  })

  it('grants permits to the first in line once enough are returned', async () => {
    const semaphore = createSemaphore(2)
    const release = granted(await semaphore.acquire(2, patient))
    const order: string[] = []
    const first = semaphore.acquire(2, patient).then((given) => {
      order.push('first')
      granted(given)()
    })
    const second = semaphore.acquire(1, patient).then(() => order.push('second'))
    release()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
  })

  it('lets no caller overtake a large request', async () => {
    const semaphore = createSemaphore(2)
    const release = granted(await semaphore.acquire(1, patient))
    const large = semaphore.acquire(2, patient)
    expect(await semaphore.acquire(1, impatient)).toBe(null)
    release()
    expect(await large).not.toBe(null)
  })

  it('serves the callers behind one that gives up', async () => {
    const semaphore = createSemaphore(2)
    granted(await semaphore.acquire(1, patient))
    const large = semaphore.acquire(2, impatient)
    const small = semaphore.acquire(1, patient)
    expect(await large).toBe(null)
    expect(await small).not.toBe(null)
  })

  it('takes each permit back only once', async () => {
    const semaphore = createSemaphore(1)
    const release = granted(await semaphore.acquire(1, patient))
    release()
    release()
    expect(await semaphore.acquire(1, impatient)).not.toBe(null)
    expect(await semaphore.acquire(1, impatient)).toBe(null)
  })

  it('stops waiting when the signal aborts, and passes the turn on', async () => {
    const semaphore = createSemaphore(2)
    granted(await semaphore.acquire(1, patient))
    const gone = new AbortController()
    const large = semaphore.acquire(2, { ...patient, signal: gone.signal })
    const small = semaphore.acquire(1, patient)
    gone.abort(new Error('went away'))
    await expect(large).rejects.toThrow('went away')
    expect(await small).not.toBe(null)
    await expect(semaphore.acquire(1, { ...patient, signal: gone.signal })).rejects.toThrow('went away')
  })

  it('refuses more permits than there are: the wait would never end', async () => {
    await expect(createSemaphore(2).acquire(3, patient)).rejects.toThrow(RangeError)
    expect(await createSemaphore(2).acquire(2, patient)).not.toBe(null)
  })
})
