import type { RunningServer } from '../deployment.ts'
import type { OwnScene } from '../scene.ts'
import type { QueryAnswer } from '../servers/loki-api.ts'
import type { LandedChunk } from './loki-landing.ts'
import type { Upkeep } from './loki-upkeep.ts'

/** What the checks of Loki leave for those after them. */
export interface LokiScene extends OwnScene {
  /** The Loki that takes the lines. */
  writer?: RunningServer
  /** What the ruler said when it was asked to keep a rule. */
  ruler?: string
  chunk?: LandedChunk
  /** The Loki that was started on an empty disk, and what it gave back. */
  reader?: RunningServer
  answer?: QueryAnswer
  /** The one Loki with retention, which two checks watch. */
  upkeep?: Promise<Upkeep>
}
