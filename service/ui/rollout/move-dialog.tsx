import { Dialog } from '../parts/dialog.tsx'
import { MoveAcrossDialog } from './move-across-dialog.tsx'
import type { useMoves } from './use-moves.ts'
import type { RolloutRow } from './use-rollout.ts'

interface MoveDialogProps {
  name: string
  /** `undefined` after the document was deleted. */
  row: RolloutRow | undefined
  from: string
  to: string
  moves: ReturnType<typeof useMoves>
}

/** The question before a move, about the tags as they are now. */
export function MoveDialog({ name, row, from, to, moves }: MoveDialogProps) {
  const source = row?.tags.get(from)
  if (source === undefined)
    return (
      <Dialog title={`${to} of ${name} cannot be moved`} onClose={moves.cancel}>
        <p>
          {row === undefined
            ? 'The document was deleted in the meantime.'
            : `Its tag ${from} was removed in the meantime.`}
        </p>
        <div className="row row-end">
          <button type="button" className="button" onClick={moves.cancel}>
            Close
          </button>
        </div>
      </Dialog>
    )
  return (
    <MoveAcrossDialog
      source={source}
      target={row?.tags.get(to)}
      to={to}
      onMoved={moves.done}
      onRefused={() => void moves.reread(name)}
      onClose={moves.cancel}
    />
  )
}
