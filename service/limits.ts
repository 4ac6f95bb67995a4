/** Every maximum of the service in one place: the unit comes last, the reason stands above it. */

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

export const limits = {
  /** Default of DOCUMENT_BYTES_MAX; also what S3 takes in a single PutObject. */
  documentBytesMax: 5 * GiB,
  /** A body without a digest, or without a length, is hashed in memory up to here, and staged beyond. */
  bufferedBytesMax: 8 * MiB,
  /** A body with digest and length is buffered (and so can be retried) up to here, and streamed beyond. */
  replayableBytesMax: 1 * MiB,
  /** Memory that all uploads together may hold in buffers; further ones wait for their turn. */
  buffersBytesMax: 64 * MiB,
  /** Of it, what is for bodies that are small, or have no length and are still small: no larger one can take it. */
  smallBuffersBytesMax: 8 * MiB,
  smallBufferBytesMax: 64 * KiB,
  /**
   * A sender below this makes room when another tenant waits for memory: it would not fill its buffer within
   * uploadWaitSecondsMax.
   */
  yieldingBytesPerSecond: 256 * KiB,
  /** How long a tenant that is within its share waits before another one has to make room, and again each time. */
  uploadNoticeSeconds: 0.5,
  /** Default of REQUESTS_MAX; more than connections to the store, so that none of these waits for the next request. */
  requestsMax: 256,
  /** Requests of one tenant that wait until others of it end; further ones are refused at once. */
  requestsWaitingMax: 1024,
  /** A burst of requests waits for this long: what begins later is late for its client as well. */
  requestWaitSecondsMax: 0.3,
  /** It is no burst any more if requests have been waiting for this long without a pause: then they wait for less. */
  requestBurstMilliseconds: 100,
  requestStandingWaitSecondsMax: 0.02,
  /** The next burst begins when none of a tenant's requests has had to wait for this long. */
  requestCalmMilliseconds: 1000,
  /** No more wait then: refusing one is cheaper if it has not waited, and no more of them could begin in that time. */
  requestsStandingMax: 64,
  /** A request that is refused under a load that lasts is answered after this long: its client came too early. */
  refusalHeldSeconds: 0.5,
  /** So many of them are held, each with its connection and its request; further ones are answered at once. */
  refusalsHeldMax: 4096,
  /** When a refused request is worth another try: most requests have ended by then. */
  requestRetrySeconds: 1,
  /** What the runtime reads of a body before it is asked for (measured: 1.1 MiB for each connection). */
  unreadBodyBytesMax: 1 * MiB,
  /** Memory that unread bodies may take in all, so that the process stays below 256 MiB. */
  uploadsBytesMax: 64 * MiB,
  /** What a smaller body is counted as: it is a connection and a request, too. */
  uploadBytesMin: 64 * KiB,
  /** How long an upload waits for buffer memory, a connection or its promotion before it is refused as `busy`. */
  uploadWaitSecondsMax: 30,
  /** Reads up to here are verified in memory before the answer begins; larger ones while they stream. */
  wholeReadBytesMax: 256 * KiB,
  /** Part of a staged upload: S3 wants at least 5 MiB, and 10,000 parts must hold documentBytesMax. */
  stagingPartBytes: 8 * MiB,
  /** Copies of staged bytes that may await the garbage collector; it takes about 10 ms. */
  garbageBytesMax: 32 * MiB,
  /** The same for bytes that are only read: fewer copies, and a rate that collections would cost. */
  readGarbageBytesMax: 128 * MiB,
  /** A sender that sends nothing for this long is given up; MinIO does the same after 30 s, and answers nothing useful. */
  uploadIdleSecondsMax: 20,
  /** In each period a sender must send this much on average, which a line of 32 kbit/s does. */
  uploadPeriodSeconds: 30,
  uploadBytesPerSecondMin: 4 * KiB,
  /** documentBytesMax at 2 Mbit/s. */
  uploadSecondsMax: 6 * 60 * 60,
  /**
   * From the end of a body to its answer nothing is sent: below connectionIdleSecondsMax, and below the 240 s of the
   * proxy in compose/stacks.
   */
  uploadAnswerSecondsMax: 200,
  /** What Bun allows at most; covers a handler that waits for the store as well as a stalled download. */
  connectionIdleSecondsMax: 255,
  /** JSON bodies are a digest and a few fields. */
  jsonBodyBytesMax: 64 * KiB,
  /** One call asks about so many versions at most: a HEAD each, which takes the store a second or two in all. */
  haveItemsMax: 1000,
  /** haveItemsMax of the longest types and names, with room for spaces and line breaks between them. */
  haveBodyBytesMax: 512 * KiB,
  /** One archive holds so many versions at most: it is asked for as `have` is, and the answer begins after as many HEADs. */
  archiveItemsMax: 1000,
  archiveBodyBytesMax: 512 * KiB,
  /** A browser follows a link to an archive at once. */
  archiveLinkSeconds: 5 * 60,
  /** One call deletes so many versions, or signs so many URLs, at most: each of them is a line or two of the audit. */
  batchItemsMax: 100,
  /** After this no further item of a call is begun: the answer is sent before a proxy gives it up. */
  batchSecondsMax: 60,
  /** What S3 gives in one list call. */
  listLimitMax: 1000,
  listLimitDefault: 100,
  /** Pages without keys that say that more follow, in a row, before a listing is given up. */
  emptyListPagesMax: 100,
  /**
   * A listing continues by its token for this long, and finds its place again after it: MinIO forgets a listing that
   * does not end after a minute, and then ends it too early in a bucket without lifecycle rules.
   */
  listTokenSecondsMax: 30,
  /** A key of 1,024 bytes and a token of the store that holds another one, encoded twice. */
  cursorCharsMax: 4 * KiB,
  /** An inventory is not taken again sooner. */
  inventorySecondsMin: 50 * 60,
  /** The first one after a start, so that a service that is restarted again and again does not walk each time. */
  inventoryDelaySeconds: 5 * 60,
  /** List calls that a walk makes: a million versions take it some three minutes. */
  inventoryPagesPerSecondMax: 5,
  /** A walk that has not been renewed for so long was given up. */
  inventoryClaimSeconds: 2 * 60,
  /** A walk that was given up is continued for so long, and otherwise begins again. */
  inventoryContinuedSecondsMax: 6 * 60 * 60,
  /** A thousand types, and the newest versions. */
  inventoryBytesMax: MiB,
  inventoryNewestMax: 20,
  /** How long a watch of a tag may wait; a proxy may close a connection on which nothing moves for longer. */
  watchSecondsMax: 60,
  /** All watches of a document on a replica cost one small read in this time. */
  watchRoundSeconds: 1,
  /** Watches of all tenants on a replica: each holds a connection and some 10 KiB. */
  watchesMax: 4096,
  /** Rows of a list by tag cost a read of a record each. */
  taggedLimitMax: 100,
  /** Names that a page may have if each costs a read of its record, or a HEAD as well. */
  namesIncludeMax: 100,
  /** Rows of /versions cost a HEAD each. */
  versionsLimitMax: 50,
  /** To find the newest version of a document, the keys of all are listed: a call, of some 100 ms, per thousand. */
  versionsListedMax: 50_000,
  /** Rows that a listing of versions keeps for its further pages: some 200 bytes each, and as many more while it reads. */
  versionRowsKeptMax: 1000,
  /** Of all documents, and for how long after the last page was asked for. */
  versionRowsCacheMax: 20_000,
  versionRowsKeptSeconds: 60,
  /** Parallel calls to the store that one request may make. */
  callsPerRequestMax: 8,
  /** Deletions of one request under way: each makes one call to the store at a time, and up to three in one of its steps. */
  deletionsPerRequestMax: 4,
  /** Rounds in which a record or a version has changed under a request before its caller has to retry. */
  recordAttemptsMax: 16,
  /** Changes of one record that one write carries; further ones wait for the next. */
  recordBatchMax: 32,
  /** A record with all its tags and deletions and the longest names and subjects; anything larger is not ours. */
  recordBytesMax: 1 * MiB,
  /** Records as this replica last saw them, by the size of their JSON. */
  recordCacheBytesMax: 16 * MiB,
  /** Tags of a document, `latest` not counted: each costs about 250 bytes of every read and write of its record. */
  tagsPerNameMax: 500,
  /** Versions whose order of acknowledgement a record keeps: where `latest` returns to after a delete. */
  recordOrderMax: 32,
  /** Writes that a record remembers, so that one whose answer was lost can be found out about. */
  recordChangesMax: 64,
  /** Deletions of versions of one document that may wait for their end, such as while the store is out of reach. */
  recordMarksMax: 100,
  /** Deletions that a record remembers, so that nothing that arrives late or from another store undoes them. */
  recordDeletionsMax: 200,
  recordDeletionDays: 90,
  /** The store accepts the DELETE of a version for this long after the record has marked it. */
  deletionAcceptedSeconds: 30,
  /** A DELETE that was accepted has acted after this; the clocks of the store's nodes differ by less. */
  deletionSettledSeconds: 60,
  /** How long a request waits for a deletion of the version that it is about. */
  deletionWaitSecondsMax: 2,
  /** A deletion is looked after for this long, in case a call about its version still arrives. */
  deletionWatchSeconds: 60 * 60,
  /** A signed upload must begin within this; the store looks at it when the request arrives. */
  uploadUrlSeconds: 15 * 60,
  /** Room for a slow upload of documentBytesMax, and well below the day after which staging is emptied. */
  completeBeforeSeconds: 6 * 60 * 60,
  /** How long a completion keeps its client waiting before it says "in progress". */
  completionWaitSecondsMax: 20,
  /** documentBytesMax at a few MiB/s. */
  completionSecondsMax: 60 * 60,
  /** The result is kept for so long for a client that has to come back for it. */
  completionKeptSeconds: 5 * 60,
  /** Completions under way, per replica. */
  completionsMax: 1024,
  /** The lease of a completion is renewed this often, and may be taken after so much silence. */
  leaseRenewSeconds: 10,
  leaseSilenceSeconds: 60,
  /** A lease has about 150 bytes. */
  leaseBytesMax: 4 * KiB,
  /** Signed downloads live minutes. */
  downloadSecondsDefault: 5 * 60,
  downloadSecondsMax: 15 * 60,
  /** Bearer tokens fit in a header well below this. */
  tokenBytesMax: 8 * KiB,
  /** OpenID Connect Core 1.0 section 2: `sub` is at most 255 ASCII characters. */
  tokenSubjectCharsMax: 255,
  /** A token for more tenants than this is a mistake of the issuer, and would not fit its header anyway. */
  tokenTenantsMax: 100,
  /** Clocks of issuer and service may differ by this much; more would let expired tokens live on. */
  tokenClockSkewSeconds: 30,
  /** A verified token is not verified again for this long, and never past its `exp`. */
  tokenCacheSeconds: 30,
  tokenCacheEntriesMax: 10_000,
  /** Keys of the issuer are read again after this long, so a withdrawn key stops working. */
  jwksCacheSeconds: 10 * 60,
  /** While the issuer is out of reach its last keys are used for this much longer; tokens rarely live longer. */
  jwksStaleSecondsMax: 60 * 60,
  /** Tokens with an unknown key id cause a request to the issuer at most this often. */
  jwksCooldownSeconds: 30,
  jwksTimeoutSeconds: 5,
  /** After a failed try the issuer is left alone for this long; without usable keys, requests are answered 503 at once. */
  jwksRetrySeconds: 1,
  /** A key set of some dozen RSA keys is below 64 KiB. */
  jwksBytesMax: 256 * KiB,
  /** Senders that the audit names in a second among refused requests of one kind; those of further ones are counted together. */
  refusedSendersMax: 8,
  /** A question to the audit covers this much: Loki splits it by the hour, and 30 days took a small one 14 s and more. */
  auditQueryDaysMax: 7,
  auditQuerySecondsMax: 30,
  /** historyLimitMax lines of the longest names. */
  auditAnswerBytesMax: 4 * MiB,
  historyLimitMax: 500,
  historyLimitDefault: 100,
  /** Log values: longer texts are cut, deeper or longer structures are named and not shown. */
  logTextCharsMax: 4096,
  logDepthMax: 6,
  logItemsMax: 100,
  /** Spans, and log records, that may wait for their export or be under way: about 10 MiB each. */
  telemetryItemsMax: 4096,
  telemetryBatchItems: 512,
  /** Names of attributes are our own, some dozens; those of others must not fill the memory. */
  spanNamesMax: 1000,
  /** A batch that is not full leaves after this. */
  telemetryDelayMilliseconds: 1000,
  /** Tries of one export, the first included, within OTEL_EXPORTER_OTLP_TIMEOUT. */
  telemetryAttemptsMax: 8,
  /** What a backend answers to an export is a few bytes; more is not read. */
  telemetryAnswerBytesMax: 64 * KiB,
  /** After SIGTERM, what still waits is sent for this long; drainSecondsMax is over by then. */
  telemetryFlushSecondsMax: 5,
  /** Leftovers younger than this may belong to a running upload (ARCHITECTURE.md, "Key scheme"). */
  leftoverAgeSecondsMin: 24 * 60 * 60,
  sweepIntervalSeconds: 60 * 60,
  /** /readyz asks the store at most this often. */
  readinessCacheSeconds: 1,
  readinessTimeoutSeconds: 2,
  /** After SIGTERM: keep serving while load balancers notice /readyz, then let transfers finish. */
  drainNoticeSeconds: 5,
  drainSecondsMax: 60,
  /** Tries of a call whose body can be replayed, the first included. */
  storeAttemptsMax: 3,
  /** A store that asks for a longer pause (Retry-After) is not asked again: our client gets its answer, and waits instead. */
  storeRetryWaitSecondsMax: 1,
  /** Retries for each call, over time: an overloaded store gets a tenth more calls, and not three times as many. */
  storeRetriesShareMax: 0.1,
  /** Retries that may follow each other although few calls were made before; the SDK of AWS allows as many. */
  storeRetriesAtOnceMax: 100,
  /** A store that asks for fewer calls gets half as many, at most once in this time: a round of calls and more. */
  storeSlowDownSeconds: 0.25,
  /** Retry-After of the store is passed to our clients up to here; a longer one may be a mistake. */
  retryAfterSecondsMax: 60,
  /**
   * A connection that is given up counts for this much longer: nothing tells when it is closed, and the store
   * sees the next one first (measured: 11 at once where 8 were allowed).
   */
  connectionCloseMilliseconds: 100,
  /** The least S3_CONNECTIONS_MAX, which gives each kind of use two connections. */
  connectionsMin: 8,
  /** How long a call waits for one of S3_CONNECTIONS_MAX connections. */
  connectionWaitSecondsMax: 10,
  /** A read that waits takes a connection away from a slow or paused download after this, and again after each. */
  connectionNoticeSeconds: 0.5,
  /** A download whose client has taken nothing for this long can be continued later by another read. */
  pausedBodySeconds: 2,
  /** Reads of the store that bring a download no further, in a row: each may wait for a connection, and its client as long. */
  fruitlessReadsMax: 3,
  /** With SINGLE_REPLICA: how long a write waits for another one of the same key, which may be a stream that was half sent. */
  writeTurnSecondsMax: 2,
  /** Each promotion holds two connections at once: together they must never hold all of them. */
  promotionsMax: 4,
  /** One place is kept for promotions up to this size, which take moments. */
  smallPromotionBytesMax: 8 * MiB,
  /** Larger ones of one tenant leave a place to those of another. */
  largePromotionsPerTenantMax: 2,
  /** No answer to a small call (head, list, delete, headers of a get) for this long is a failure. */
  storeAnswerSecondsMax: 30,
  /** One answer to the store probe; what takes longer is unknown, and unknown means no. */
  probeAnswerSecondsMax: 10,
  /** How often the store is probed again, and how soon after a probe failed. */
  probeIntervalSeconds: 60 * 60,
  probeRetrySeconds: 15,
  /** A part of stagingPartBytes, or the joining of all parts, may take this long. */
  storeTransferSecondsMax: 120,
  /**
   * A presigned request that expired this long ago, by the Date of the store, is refused: the clocks of a store's
   * nodes differ by less. The probe tries it.
   */
  storeExpirySkewSecondsMax: 5,
} as const
