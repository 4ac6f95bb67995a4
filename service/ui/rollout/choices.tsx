import { useId } from 'react'
import { NameField } from '../listing/name-field.tsx'
import { Columns } from './columns.tsx'
import type { RolloutQuery } from './rollout-query.ts'

interface ChoicesProps {
  query: RolloutQuery
  seen: readonly string[]
  onChange: (part: Partial<RolloutQuery>) => void
}

/** Which documents are read, which tags are columns, and which two of them are compared. */
export function Choices({ query: { prefix, tags, from, to, differing }, seen, onChange }: ChoicesProps) {
  const [fromId, toId] = [useId(), useId()]
  const options = tags.map((tag) => (
    <option key={tag} value={tag}>
      {tag}
    </option>
  ))
  return (
    <>
      <div className="toolbar">
        <NameField label="Name begins with" kept={prefix} keep={(text) => onChange({ prefix: text })} />
        <div className="field">
          <label htmlFor={toId}>Compare</label>
          <select
            id={toId}
            value={to}
            onChange={({ target }) => onChange({ to: target.value, from: target.value === from ? to : from })}
          >
            {options}
          </select>
        </div>
        <div className="field">
          <label htmlFor={fromId}>with</label>
          <select
            id={fromId}
            value={from}
            onChange={({ target }) => onChange({ from: target.value, to: target.value === to ? from : to })}
          >
            {options}
          </select>
        </div>
      </div>
      <div className="row rollout-choices">
        <label className="check">
          <input
            type="checkbox"
            checked={differing}
            onChange={({ target }) => onChange({ differing: target.checked })}
          />
          Show only documents that differ
        </label>
        <Columns seen={seen} chosen={tags} onChange={(chosen) => onChange({ tags: chosen })} />
      </div>
    </>
  )
}
