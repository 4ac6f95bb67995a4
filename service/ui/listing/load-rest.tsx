import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import type { useReadAll } from './use-read-all.ts'

interface LoadRestProps {
  isLoading: boolean
  onLoad: () => void
  all: ReturnType<typeof useReadAll>
  /** How many documents were read so far. */
  count: number
}

/** The end of a list that continues: its next page, or all of it, which can be stopped. */
export function LoadRest({ isLoading, onLoad, all, count }: LoadRestProps) {
  return (
    <LoadMore text="Load more" isLoading={isLoading || all.isReading} onLoad={onLoad}>
      <button type="button" className="button" onClick={all.isReading ? all.stop : all.start}>
        {all.isReading ? 'Stop' : 'Load all'}
      </button>
      {/* Each page is waited for by itself: many quick ones are not slow. */}
      {(isLoading || all.isReading) && (
        <Loading key={count} what={all.isReading ? `Loading all, ${counted(count)} so far…` : 'Loading…'} />
      )}
    </LoadMore>
  )
}

const numbers = new Intl.NumberFormat('en')

/** Returns a number with its thousands apart. */
export function counted(value: number): string {
  return numbers.format(value)
}

/** Returns what of a list is shown, as a sentence without its end: all of it, or its beginning. */
export function shownOf(count: number, isComplete: boolean, prefix: string): string {
  const one = isComplete && count === 1
  const which = isComplete ? `All ${counted(count)} documents` : `The first ${counted(count)} documents`
  const begin = one ? 'whose name begins' : 'whose names begin'
  return `${one ? 'The only document' : which}${prefix === '' ? '' : ` ${begin} with “${prefix}”`}`
}
