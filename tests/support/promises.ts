/** What the product promises and which test holds it; `bun run readme` makes a table of it, with the figures that tests record. */
export const promises = {
  interleavings: {
    promise:
      'In every order of requests on several replicas, also when processes are killed: nothing acknowledged is lost, nothing deleted comes back, and no tag dangles.',
    test: 'tests/interleavings/random.test.ts',
  },
  everyPair: {
    promise:
      'Any two operations on a document end as if one had followed the other, in every order of their calls.',
    test: 'tests/interleavings/pairs.test.ts',
  },
  firstWriter: {
    promise: 'A version that exists is never rewritten, however many clients race.',
    test: 'tests/integration/documents/racing.test.ts',
  },
  damage: {
    promise: 'Damaged bytes never make a complete answer.',
    test: 'tests/integration/documents/integrity.test.ts',
  },
  repair: {
    promise: 'A version that was cut short in the store is repaired by any upload of the right bytes.',
    test: 'tests/integration/documents/repair.test.ts',
  },
  clocks: {
    promise: 'An accepted upload becomes the latest, whatever the clocks of replicas and store show.',
    test: 'tests/integration/documents/clocks.test.ts',
  },
  sequences: {
    promise: 'A call is answered as a simple model of a document says, whatever calls came before it.',
    test: 'tests/sequences/sequences.test.ts',
  },
  storeCalls: {
    promise: 'An upload costs two calls to the store, and a tag one, however many tags there are.',
    test: 'tests/http/store-calls.test.ts',
  },
  isolation: {
    promise: 'Nothing can be learnt about the documents of another tenant.',
    test: 'tests/http/foreign-tenant.test.ts',
  },
  halfWay: {
    promise: 'An upload that its client cuts off leaves nothing that can be seen.',
    test: 'tests/integration/documents/upload-failures.test.ts',
  },
  killed: {
    promise: 'A service that is killed during an upload leaves nothing that can be seen.',
    test: 'tests/faults/service-dies.test.ts',
  },
  storeKilled: {
    promise:
      'While the store is dead or stalls, every call is answered with 503, and all is well once it is back.',
    test: 'tests/faults/store-dies.test.ts',
  },
  connections: {
    promise: 'Downloads that are not read stop neither other tenants nor health checks, and continue later.',
    test: 'tests/faults/few-connections.test.ts',
  },
  update: {
    promise: 'No request is lost while a deployment is updated, rolled back, or given another key.',
    test: 'tests/swarm/swarm.test.ts',
  },
  listing: {
    promise: 'A listing names every document once, also where the store forgets how far it has come.',
    test: 'tests/integration/documents/listing-forgotten.test.ts',
  },
  maintenance: {
    promise: 'No maintenance command leaves out a version, or says that it is finished if the store does.',
    test: 'tests/integration/maintenance/listings.test.ts',
  },
  deletions: {
    promise: 'A deletion survives a change of the store, until the version is uploaded again.',
    test: 'tests/integration/maintenance/migrate.test.ts',
  },
  lateCalls: {
    promise:
      'A deletion that was given up is finished, and what a late call has done to a document is repaired.',
    test: 'tests/unit/service/documents/maintenance/deletion-watch.test.ts',
  },
  conversion: {
    promise:
      'A bucket of the layout before records is converted in place; no tag is lost, wherever that is stopped.',
    test: 'tests/unit/service/documents/maintenance/conversion.test.ts',
  },
  tickets: {
    promise: 'Who holds a ticket can do nothing with it but upload these bytes.',
    test: 'tests/integration/tickets/attacks-upload.test.ts',
  },
  memory: {
    promise: 'A transfer through the service costs the same memory, however large it is.',
    test: 'tests/integration/documents/memory.test.ts',
  },
  ticketMemory: {
    promise: 'A transfer straight to and from the store costs the service hardly any memory.',
    test: 'tests/integration/tickets/ticket-memory.test.ts',
  },
  firstLoad: {
    promise: 'The Control UI is less than 150 kB at first load.',
    test: 'tests/unit/service/ui/bundle.test.ts',
  },
  auditFlood: {
    promise: 'No one can fill or rotate the audit log without a token, and what it must hold is never lost.',
    test: 'tests/integration/telemetry/audit-sink.test.ts',
  },
  secrets: {
    promise: 'No secret stands in anything that is printed.',
    test: 'tests/unit/tests/tools/runner/redaction-sweep.test.ts',
  },
  proxies: {
    promise: 'Nothing is sent to a proxy that only the environment names.',
    test: 'tests/integration/store-servers/forward-proxy.test.ts',
  },
  overload: {
    promise:
      'Ten times as many requests as may be under way: those that are accepted stay healthy, other tenants are served, within 256 MiB.',
    test: 'tests/faults/overload-requests.test.ts',
  },
  hostile: {
    promise:
      'Clients that are slow, silent, malformed or gone, a thousand at once, do not keep others from being served.',
    test: 'tests/wire/hostile-clients.test.ts',
  },
  histories: {
    promise:
      'While replicas, connections and the store fail, documents change one step at a time, and nothing acknowledged is lost.',
    test: 'tests/histories/history.test.ts',
  },
} as const satisfies Record<string, { promise: string; test: string }>

/** The word by which tests and figures name a promise. */
export type PromiseName = keyof typeof promises
