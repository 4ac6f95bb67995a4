/** Types that the platform knows. The set is open: any other can be typed in. */
export const knownTypes: readonly { type: string; holds: string }[] = [
  { type: 'deployment-bundles', holds: 'What is rolled out, with the tags that say where' },
  { type: 'definitions', holds: 'Descriptions of services and their resources' },
  { type: 'audit-exports', holds: 'What was done by whom, for those who ask' },
  { type: 'diagnostics', holds: 'Dumps and traces from a case that is looked into' },
  { type: 'snapshots', holds: 'State at a moment, to go back to' },
]
