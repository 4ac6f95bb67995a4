const stops: (() => Promise<void>)[] = []

/** Has what tests of several files share stopped after the last test of this process; `preload.ts` sees to it. */
export function stopAtTheEnd(stop: () => Promise<void>): void {
  stops.push(stop)
}

/** The last one first. */
export async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
}
