import { compareTags, tagsToShow } from '../parts/tag-order.ts'
import { columnsMax, columnsMin } from './rollout-query.ts'

interface ColumnsProps {
  /** All tags that were seen, each once. */
  seen: readonly string[]
  chosen: readonly string[]
  onChange: (tags: readonly string[]) => void
}

/** Of more tags, such as those of releases, the others can be named in the address. */
const offeredMax = 60

/** Chooses the tags that are columns, among those that documents have. */
export function Columns({ seen, chosen, onChange }: ColumnsProps) {
  const all = [...new Set([...chosen, ...seen])].toSorted(compareTags).map((tag) => ({ tag }))
  const offered = new Set([...chosen, ...tagsToShow(all, offeredMax).map(({ tag }) => tag)])
  const change = (tag: string, isChosen: boolean) =>
    onChange(isChosen ? [...chosen, tag] : chosen.filter((one) => one !== tag))
  return (
    <details className="columns">
      <summary>Columns: {chosen.join(', ')}</summary>
      <fieldset>
        <legend>
          Choose {columnsMin} to {columnsMax} tags
        </legend>
        <div className="columns-list">
          {[...offered].toSorted(compareTags).map((tag) => {
            const isChosen = chosen.includes(tag)
            return (
              <label key={tag} className="check">
                <input
                  type="checkbox"
                  checked={isChosen}
                  disabled={isChosen ? chosen.length <= columnsMin : chosen.length >= columnsMax}
                  onChange={({ target }) => change(tag, target.checked)}
                />
                {tag}
              </label>
            )
          })}
        </div>
        {all.length > offered.size && (
          <p className="quiet">
            {all.length - offered.size} more tags can be named in the address, as in ?tags=production,v1.4.0.
          </p>
        )}
      </fieldset>
    </details>
  )
}
