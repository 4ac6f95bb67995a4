import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'

/** `OTEL_TRACES_SAMPLER` and its argument. */
export interface SamplerSettings {
  kind: 'always_on' | 'always_off' | 'traceidratio'
  /** `parentbased_…`: a caller that has decided is followed, and `kind` decides for the others. */
  followsCaller: boolean
  /** From 0 to 1, of `traceidratio`. */
  ratio: number
}

export function createSampler({ kind, followsCaller, ratio }: SamplerSettings): Sampler {
  const own = ownSampler(kind, ratio)
  return followsCaller ? new ParentBasedSampler({ root: own }) : own
}

function ownSampler(kind: SamplerSettings['kind'], ratio: number): Sampler {
  if (kind === 'always_on') return new AlwaysOnSampler()
  return kind === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio)
}
