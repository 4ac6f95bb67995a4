import type { Dashboard } from '@grafana/schema'
import { collector } from './definitions/collector.ts'
import { documents } from './definitions/documents.ts'
import { loki } from './definitions/loki.ts'
import { store } from './definitions/store.ts'
import { tempo } from './definitions/tempo.ts'

/** All dashboards; each is the file `dashboards/<uid>.json`, which `write-dashboards.ts` writes. */
export const dashboards: readonly Dashboard[] = [documents, loki, tempo, collector, store]
