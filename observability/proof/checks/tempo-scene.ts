import type { RunningServer } from '../deployment.ts'
import type { OwnScene } from '../scene.ts'
import type { FoundTrace } from '../servers/tempo-api.ts'
import type { LandedBlock } from './tempo-landing.ts'

/** What the checks of Tempo leave for those after them. */
export interface TempoScene extends OwnScene {
  /** The Tempo that takes the trace. */
  writer?: RunningServer
  block?: LandedBlock
  /** The Tempo that was started on an empty disk, and what it gave back. */
  reader?: RunningServer
  trace?: FoundTrace
}
