const stops: (() => Promise<void>)[] = []

/** Registers a function that stops what several files share; `preload.ts` calls it after the last test of this process. */
export function stopAtTheEnd(stop: () => Promise<void>): void {
  stops.push(stop)
}

/** Stops everything registered, the last one first. */
export async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop()
}
