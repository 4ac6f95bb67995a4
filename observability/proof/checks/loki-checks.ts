import type { Check } from '../../../service/cli/checks/check.ts'
import {
  judgeOrigin,
  judgeOwnChunk,
  landOwnLines,
  readBackLines,
  startWriter,
  stopForIndex,
} from './loki-main.ts'
import { surviveOutage } from './loki-outage.ts'
import { findNothingElsewhere, refuseWrongBucket, refuseWrongSecret } from './loki-refusals.ts'
import type { LokiScene } from './loki-scene.ts'
import { applyDeletion, applyRetention } from './loki-upkeep.ts'
import { checkContainment, checkPreflight, checkUntouched } from './store-checks.ts'

const freshProcess = 'a fresh process cannot be started from outside'
const otherProcess = 'a process with another configuration cannot be started from outside'

/** What is proved of Loki, in the order in which it is shown. */
export const lokiChecks: readonly Check<LokiScene>[] = [
  {
    id: 'loki.preflight',
    sentence:
      'The store takes, gives back, lists, joins and deletes objects below the prefix, and is left clean',
    needs: [],
    part: 'default',
    notOutside: 'it would write more than the marker',
    run: checkPreflight,
  },
  {
    id: 'loki.start',
    sentence: 'Loki becomes ready on an empty disk',
    needs: ['loki.preflight'],
    part: 'default',
    notOutside: 'it runs already',
    run: startWriter,
  },
  {
    id: 'loki.landing',
    sentence: 'Log lines sent over OTLP are an object in the bucket once Loki is flushed',
    needs: ['loki.start'],
    part: 'default',
    run: landOwnLines,
  },
  {
    id: 'loki.objects',
    sentence:
      'That object is the one foretold: key, CRC32C, tenant, labels and times, and the lines stand in it',
    needs: ['loki.landing'],
    part: 'default',
    run: judgeOwnChunk,
  },
  {
    id: 'loki.index',
    sentence: 'A graceful stop brings the index to the bucket',
    needs: ['loki.landing'],
    // What is to be judged must not be compacted meanwhile, nor be read by the one that wrote it.
    after: ['loki.objects'],
    part: 'default',
    notOutside: 'it would stop the deployment; Loki ships the index every quarter of an hour',
    run: stopForIndex,
  },
  {
    id: 'loki.read-back',
    sentence: 'A fresh Loki on an empty disk gives back the same lines, with their labels and metadata',
    needs: ['loki.index'],
    part: 'default',
    notOutside: freshProcess,
    run: readBackLines,
  },
  {
    id: 'loki.origin',
    sentence: 'That answer came from the store: its chunks were downloaded, none was in the ingester',
    needs: ['loki.read-back'],
    part: 'default',
    notOutside: freshProcess,
    run: judgeOrigin,
  },
  {
    id: 'loki.wrong-secret',
    sentence:
      'With a wrong secret nothing lands: Loki counts failed flushes, and with retention it does not start',
    needs: ['loki.preflight'],
    part: 'default',
    notOutside: otherProcess,
    run: refuseWrongSecret,
  },
  {
    id: 'loki.wrong-bucket',
    sentence:
      'With an absent bucket nothing lands: Loki counts failed flushes, and with retention it does not start',
    needs: ['loki.preflight'],
    part: 'default',
    notOutside: otherProcess,
    run: refuseWrongBucket,
  },
  {
    id: 'loki.wrong-prefix',
    sentence: 'Under another prefix a fresh Loki starts and finds nothing',
    needs: ['loki.index'],
    part: 'default',
    notOutside: otherProcess,
    run: findNothingElsewhere,
  },
  {
    id: 'loki.outage',
    sentence:
      'Lines that Loki took while the store was out of reach are in the bucket afterwards, and are found',
    needs: ['loki.preflight'],
    part: 'all',
    notOutside: 'it would cut the deployment off from its store',
    run: surviveOutage,
  },
  {
    id: 'loki.retention',
    sentence: 'Retention removes the chunk that is too old from the bucket, and no other',
    needs: ['loki.preflight'],
    part: 'all',
    notOutside: 'the shortest retention of Loki is a day',
    run: applyRetention,
  },
  {
    id: 'loki.delete',
    sentence: 'A deletion removes lines from answers and from the bucket, and no others',
    needs: ['loki.preflight'],
    part: 'all',
    notOutside: 'it would delete',
    run: applyDeletion,
  },
  {
    id: 'loki.containment',
    sentence: 'Every new object of the whole bucket lies below the prefix and has a known form of key',
    needs: ['loki.landing'],
    after: [
      'loki.origin',
      'loki.wrong-secret',
      'loki.wrong-bucket',
      'loki.wrong-prefix',
      'loki.outage',
      'loki.retention',
      'loki.delete',
      'join.log-to-trace',
      'join.trace-to-log',
    ],
    part: 'default',
    async run(scene) {
      // What a server writes when it ends counts, too.
      await scene.reader?.stop()
      return checkContainment(
        scene,
        scene.ruler === undefined ? '' : `; the ruler, asked to keep a rule: ${scene.ruler}`,
      )
    },
  },
  {
    id: 'loki.untouched',
    sentence: 'Everything outside of the prefix is as it was, a canary object among it',
    needs: ['loki.landing'],
    after: ['loki.containment'],
    part: 'default',
    notOutside: 'no canary is put into a store that is in use',
    run: checkUntouched,
  },
]
