import type { Check } from '../../../service/cli/checks/check.ts'
import { checkContainment, checkPreflight, checkUntouched } from './store-checks.ts'
import {
  copyInPrefix,
  judgeOrigin,
  judgeOwnBlock,
  landOwnTrace,
  readBackTrace,
  searchOwnTrace,
  startWriter,
} from './tempo-main.ts'
import { surviveOutage } from './tempo-outage.ts'
import { findNothingElsewhere, refuseWrongBucket, refuseWrongSecret } from './tempo-refusals.ts'
import { applyRetention } from './tempo-retention.ts'
import type { TempoScene } from './tempo-scene.ts'

const freshProcess = 'a fresh process cannot be started from outside'
const otherProcess = 'a process with another configuration cannot be started from outside'

/** What is proved of Tempo, in the order in which it is shown. */
export const tempoChecks: readonly Check<TempoScene>[] = [
  {
    id: 'tempo.preflight',
    sentence:
      'The store takes, gives back, lists, joins and deletes objects below the prefix, and is left clean',
    needs: [],
    part: 'default',
    notOutside: 'it would write more than the marker',
    run: checkPreflight,
  },
  {
    id: 'tempo.copy',
    sentence: 'The store copies objects below the prefix: Tempo’s retention and compaction rest on it',
    needs: ['tempo.preflight'],
    part: 'default',
    notOutside: 'it would write more than the marker',
    run: copyInPrefix,
  },
  {
    id: 'tempo.start',
    sentence: 'Tempo becomes ready on an empty disk',
    needs: ['tempo.preflight'],
    // Tempo takes every folder below its prefix for a tenant, a scratch folder as well.
    after: ['tempo.copy'],
    part: 'default',
    notOutside: 'it runs already',
    run: startWriter,
  },
  {
    id: 'tempo.landing',
    sentence: 'A trace sent over OTLP is a block in the bucket once Tempo is flushed',
    needs: ['tempo.start'],
    part: 'default',
    run: landOwnTrace,
  },
  {
    id: 'tempo.objects',
    sentence:
      'That block is what was written: files, meta.json with tenant, count, size and times, and the ids in its data',
    needs: ['tempo.landing'],
    part: 'default',
    run: judgeOwnBlock,
  },
  {
    id: 'tempo.read-back',
    sentence: 'A fresh Tempo on an empty disk gives back the same spans by the id of the trace',
    needs: ['tempo.landing'],
    after: ['tempo.objects'],
    part: 'default',
    notOutside: freshProcess,
    run: readBackTrace,
  },
  {
    id: 'tempo.search',
    sentence: 'The same Tempo finds the trace by its attributes',
    needs: ['tempo.read-back'],
    part: 'default',
    notOutside: freshProcess,
    run: searchOwnTrace,
  },
  {
    id: 'tempo.origin',
    sentence: 'Its answer came from the store: blocks there have the trace, its ingester has not',
    needs: ['tempo.read-back'],
    part: 'default',
    notOutside: freshProcess,
    run: judgeOrigin,
  },
  {
    id: 'tempo.wrong-secret',
    sentence: 'With a wrong secret Tempo does not start',
    needs: ['tempo.preflight'],
    after: ['tempo.copy'],
    part: 'default',
    notOutside: otherProcess,
    run: refuseWrongSecret,
  },
  {
    id: 'tempo.wrong-bucket',
    sentence: 'With an absent bucket Tempo does not start',
    needs: ['tempo.preflight'],
    after: ['tempo.copy'],
    part: 'default',
    notOutside: otherProcess,
    run: refuseWrongBucket,
  },
  {
    id: 'tempo.wrong-prefix',
    sentence: 'Under another prefix a fresh Tempo starts and finds nothing',
    needs: ['tempo.landing'],
    part: 'default',
    notOutside: otherProcess,
    run: findNothingElsewhere,
  },
  {
    id: 'tempo.outage',
    sentence:
      'A trace that Tempo took while the store was out of reach is in the bucket afterwards, and is found',
    needs: ['tempo.preflight'],
    part: 'all',
    notOutside: 'it would cut the deployment off from its store',
    run: surviveOutage,
  },
  {
    id: 'tempo.retention',
    sentence: 'Retention removes the block that is too old from the bucket, and no other',
    needs: ['tempo.copy'],
    part: 'all',
    notOutside: 'retention of a deployment is days',
    run: applyRetention,
  },
  {
    id: 'tempo.containment',
    sentence: 'Every new object of the whole bucket lies below the prefix and has a known form of key',
    needs: ['tempo.landing'],
    after: [
      'tempo.search',
      'tempo.origin',
      'tempo.wrong-secret',
      'tempo.wrong-bucket',
      'tempo.wrong-prefix',
      'tempo.outage',
      'tempo.retention',
      'join.log-to-trace',
      'join.trace-to-log',
    ],
    part: 'default',
    async run(scene) {
      // What a server writes when it ends counts, too.
      await scene.reader?.stop()
      return checkContainment(scene)
    },
  },
  {
    id: 'tempo.untouched',
    sentence: 'Everything outside of the prefix is as it was, a canary object among it',
    needs: ['tempo.landing'],
    after: ['tempo.containment'],
    part: 'default',
    notOutside: 'no canary is put into a store that is in use',
    run: checkUntouched,
  },
]
