/**
 * Every bound of the product, named, with why; those of being found are in `discovery-limits.ts`. A queue, cache, retry
 * or packet without a line is a defect.
 */
import { releasedMs } from './version.ts';

/** Largest plaintext chunk the chunker may cut with a pool's default parameters. */
export const chunkBytesMax = 256 * 1024;

/** Largest sealed chunk any pool may use (chunks up to 1 MiB are foreseen), with AEAD tag and header. */
export const sealedChunkBytesMax = 1024 * 1024 + 64;

/** Payload of one frame: a sealed chunk and its id, or one page of control data. */
export const framePayloadBytesMax = sealedChunkBytesMax + 1024;

/** A hello: two short texts, a pool's id and a port. */
export const helloBytesMax = 1024;

/** What starts a pairing; and any request that needs membership, of a party that is no member, to be refused. */
export const strangerRequestBytesMax = 4096;

/** A request that names nothing longer than an id. */
export const smallRequestBytesMax = 1024;

/** An error: its text, help and fields, each cut to `errorTextCharsMax` by whoever reads it. */
export const errorPayloadBytesMax = 64 * 1024;

/** Requests one connection may have unanswered; more and the reader is paused. */
export const requestsInFlightMax = 128;

/**
 * Bytes of requests one connection may have unanswered before its reader is paused: some are received while others are
 * written and others synced, and what is synced together should be megabytes (a sync takes 2 ms and 1 ms a megabyte).
 */
export const requestBytesInFlightMax = 8 * 1024 * 1024;

/** Connections a box accepts at once, those of strangers included. */
export const connectionsMax = 160;

/** Of these, connections of parties that are no members (they may only pair). */
export const strangerConnectionsMax = 16;

/** A stranger must finish pairing within this, else the connection is closed. */
export const strangerLifetimeMs = 60_000;

/** Wrong codes before pairing locks, and for how long (docs/formats.md §8). */
export const pairingTriesMax = 5;
export const pairingLockMs = 15 * 60_000;

/** Members of one pool: placement and gossip are measured up to this. */
export const membersMax = 256;

/** One path component in UTF-8 bytes: what ext4, APFS and NTFS can all hold. */
export const nameBytesMax = 255;

/** Components of one path, and its bytes: PATH_MAX of Linux. */
export const pathDepthMax = 256;
export const pathBytesMax = 4096;

/** Operations in one log record, and its bytes: a commit is one record, so that it is atomic, and fits a frame. */
export const logOperationsMax = 1024;
export const logRecordBytesMax = 1024 * 1024;

/** How far ahead of ours another box's clock may be: one wrong clock must not pull all others into the future. */
export const clockSkewMsMax = 60 * 60_000;

/** What a member may say of its clock, in milliseconds since 1970: ten years after this version. */
export const toldTimeMsMax = releasedMs + 10 * 365 * 24 * 60 * 60_000;

/** How often it is looked whether our own clock has been set, until it has. */
export const clockJudgedEveryMs = 5000;

/** How often it is looked whether the time is to be noted, and how far it goes on or leaps until it is. */
export const timeLookPeriodMs = 60_000;
export const timeNotePeriodMs = 10 * 60_000;

/** Bytes of log records that wait for one sync; more wait for the next. */
export const logBatchBytesMax = 4 * 1024 * 1024;

/** Nodes of the tree changed in memory before they are committed, and for how long: one commit costs 0.1–0.2 s. */
export const treeOverlayNodesMax = 4096;
export const treeCommitDelayMs = 1000;

/** Decrypted nodes kept: about 1 KiB each, the inline contents of small files included. */
export const treeCacheNodesMax = 4096;

/** Sorted listings kept for paging, and the entries of each: 150 bytes an entry, 60 MB at worst. */
export const treeListingsMax = 4;
export const treeListingEntriesMax = 100_000;

/** Changes in one commit: two operations each, and room for missing parents. */
export const commitChangesMax = 400;

/** One page of a listing: what fits a frame, half filled. */
export const listEntriesMax = 1000;
export const listPageBytesMax = 512 * 1024;

/** How often a box asks the others for records it lacks, and how long a commit waits for a second copy. */
export const logPullPeriodMs = 10_000;
export const logShipTimeoutMs = 5_000;

/** Small files whose results go to the main thread together, and what one task of a sealing thread takes on. */
export const sealResultsMax = 64;
export const sealTaskFilesMax = 64;
export const sealTaskBytesMax = 4 * 1024 * 1024;

/** One commit of an upload, and how many are unanswered at once. */
export const uploadCommitChangesMax = 256;
export const uploadCommitBytesMax = 512 * 1024;
export const uploadCommitDelayMs = 500;
export const uploadCommitsMax = 4;

/** Files written at once by a download, and how far ahead each is read: 32 MiB altogether at most. */
export const downloadFilesMax = 16;
export const downloadBytesAheadMax = 2 * 1024 * 1024;

/** Chunks of an upload that are known to be stored and need not be sent again: 100 bytes each. */
export const recentChunksMax = 200_000;

/** Bytes of a file read before they are cut and sealed: enough that few bytes are cut twice. */
export const sealFillBytes = 1024 * 1024;

/** Sealed chunks handed over at once, as much as one frame carries, and such batches not yet acknowledged: 16 MiB. */
export const sealBatchBytes = framePayloadBytesMax;
export const sealBatchesInFlightMax = 16;

/** How much of a file is fetched before it is asked for: 16 chunks keep a gigabit link busy over 30 ms. */
export const contentReadAheadBytes = 4 * 1024 * 1024;

/** Directory entries looked at in one go: a millisecond of blocking calls. */
export const localListBatchMax = 64;

/** Tasks that wait for a worker thread; who has more keeps them. */
export const tasksWaitingMax = 64;

/** Versions that one new version may replace: as many as there are concurrent authors. */
export const basisStampsMax = 256;

/** PATH_MAX of Linux bounds what a symbolic link says. */
export const linkTargetBytesMax = 4096;

/** References in a file's record; a longer list goes into chunks. Each is 72 bytes. */
export const rootReferencesMax = 32;

/** References in one chunk of a list: 2048 × 72 bytes are less than a chunk. */
export const listReferencesMin = 64;
export const listReferencesMax = 2048;

/** Lists of lists: 32 × 64⁷ references and more. */
export const contentDepthMax = 8;

/** Files up to this many bytes live inside their manifest. */
export const inlineFileBytesMax = 4096;

/** Log entries kept in memory for the console. */
export const logEntriesMax = 2000;

/** One small state file (identity, secrets, claim code): the largest is a key with its certificate, about 1 KiB. */
export const stateFileBytesMax = 64 * 1024;

/** One membership record: about 300 bytes and the member's name. */
export const memberRecordBytesMax = 640;

/** A member's name: what one DNS label holds, since it is announced as one (RFC 6763 §4.1.1). */
export const memberNameBytesMax = 63;

/** Admissions of one pool: members are admitted again under another name, by several issuers. */
export const memberAdmissionsMax = 4 * membersMax;

/** Records that wait for their issuer's own admission; a whole pool may arrive in reverse order. */
export const memberRecordsWaitingMax = membersMax;

/** A TLS handshake that takes longer is given up: one P-256 handshake takes a slow box 20 ms. */
export const handshakeTimeoutMs = 10_000;

/** Handshakes under way at once, and of these from one address; a further one takes the place of the oldest. */
export const handshakesMax = 64;
export const handshakesPerAddressMax = 16;

/** Connections beyond the most that are told so before they are closed; with more, the rest are cut off at once. */
export const refusalsMax = 16;

/** Bytes one stream takes before `write` asks to wait for `drain`: four chunks, so that the link never idles. */
export const streamWriteBufferBytes = 1024 * 1024;

/** Disks of one box: a USB hub full of them. */
export const volumesMax = 16;

/** Characters of one line typed at the console; a person's line is shorter, garbage on a serial line is not. */
export const consoleLineCharactersMax = 1024;

/** Lines the console remembers. */
export const consoleHistoryLinesMax = 100;

/** Bytes of one terminal escape sequence; a longer one is noise and is let go. */
export const consoleEscapeBytesMax = 64;

/** Bytes that wait while a command runs: a pasted or piped script, but not a stream without end. */
export const consoleInputBytesMax = 64 * 1024;

/** Placement maps kept: the one in force and those that still are being left. A map of 64 boxes takes 3 MiB. */
export const placementsCachedMax = 8;

/** Addresses remembered for one box: a few interfaces, each with IPv4 and IPv6. */
export const addressesPerMemberMax = 8;

/** Of each member, those where it has proved itself: one for each of its interfaces and families, about. */
export const provenAddressesMax = 4;

/** A segment file: large enough to be read and freed in few operations, small enough to be rewritten in seconds. */
export const segmentBytesMax = 64 * 1024 * 1024;

/** Bytes of chunks in `ChunkStore.put` at once, waiting ones wait outside: 128 chunks of 256 KiB. */
export const putBytesInFlightMax = 32 * 1024 * 1024;

/** Bytes written and synced as one group: above some megabytes a longer write only makes the others wait. */
export const groupBytesMax = 8 * 1024 * 1024;

/** The index is committed after so much, and what a restart has to scan is little more than this. */
export const indexCommitBytes = 64 * 1024 * 1024;
export const indexCommitEntries = 16_384;
export const indexCommitDelayMs = 1000;

/** Entries removed at once when an index is thrown away, and entries a scan gathers before it commits them. */
export const indexEraseEntries = 4096;

/** Buffer of a recovery scan; holds the largest record whole. */
export const scanBufferBytes = 4 * 1024 * 1024;

/** Segment files a volume keeps open for readers. */
export const segmentFilesOpenMax = 32;

/** RAM for chunks that are read again and again, and the largest one worth keeping: larger ones read fast anyway. */
export const storeCacheBytesMax = 16 * 1024 * 1024;
export const storeCachedChunkBytesMax = 16 * 1024;

/** Of each volume's limit, kept for the index and for freeing space: a full disk must be able to delete. */
export const volumeReserveShare = 0.05;

/** How long after `DISK_FULL` the free space is asked for again. */
export const volumeFullRecheckMs = 10_000;

/**
 * How long a disk may take for one call. One that stood still needs ten seconds and more until it spins. After this long
 * there must be time to write to another disk before whoever asked gives up (`chunkRequestTimeoutMs`).
 */
export const diskAnswerMs = 20_000;

/** Calls to one disk that are under way at once, each in a thread of its own; a start sets `UV_THREADPOOL_SIZE` by it. */
export const diskCallsMax = 4;

/** Of an index, as much is read when it is opened, so that look-ups seldom wait for the disk. */
export const indexReadAheadBytesMax = 32 * 1024 * 1024;

/** How often an idle volume is looked at, so that a disk that was pulled out shows in the status. */
export const volumeProbePeriodMs = 2000;

/** How old a look at a volume may be for what it holds already to be acknowledged. */
export const volumeProbeFreshMs = 1000;

/** Looks in a row that may fail, other than by the volume's absence, before it is given up. */
export const volumeProbeFailuresMax = 3;

/** Chunks of a volume that are read to see whether it can be read: more than a few damaged ones are no chance. */
export const proofChunks = 4;

/** Chunks of a disk that is being emptied, and their bytes, that are copied at once: others shall be served meanwhile. */
export const retireChunksMax = 256;
export const retireBytesMax = 4 * 1024 * 1024;

/** `volume.cbor` takes some 80 bytes. */
export const volumeLabelBytesMax = 1024;

/** Requests that wait here for a place in one peer's window; more are refused, so that nobody queues without bound. */
export const requestsWaitingMax = 4096;

/** Requests with a large answer (a chunk, a page of a log) worked on at once for one connection: 4 MiB of chunks. */
export const largeAnswersInFlightMax = 16;

/** A request without an answer for this long has failed; the slowest honest one waits for a sync of a busy disk. */
export const requestTimeoutMs = 30_000;

/** Memory kept to receive chunks into, again and again: 64 chunks of 256 KiB. */
export const payloadPoolBytesMax = 16 * 1024 * 1024;

/** A connection on which nothing came for `idle` is probed, and after `dead` closed: noticed within 15 s. */
export const keepAliveTickMs = 2_500;
export const keepAliveIdleMs = 7_500;
export const keepAliveDeadMs = 12_500;

/** How long a connection that we end may take to deliver what was written. */
export const closeGraceMs = 5_000;

/** An error's text from a peer, beyond which it is cut; and its fields. */
export const errorTextCharsMax = 1000;
export const errorFieldsMax = 16;

/** Dialling one address of a peer: three lost SYNs on a LAN. */
export const connectTimeoutMs = 3_000;

/** Waiting time before a peer that did not answer is dialled again: doubled each time, between these. */
export const reconnectDelayMsMin = 250;
export const reconnectDelayMsMax = 30_000;

/** The next address of a peer is dialled beside the one before when that has not answered for this long. */
export const dialStaggerMs = 250;

/** Chunk ids in one question whether a box holds them: 32 KiB. */
export const chunkIdsPerRequestMax = 1024;

/** A chunk must be written or read by one holder within this, else the next is tried. */
export const chunkRequestTimeoutMs = 45_000;

/** A login code's life: long enough to walk from the console to the desktop. It is used once. */
export const loginCodeLifetimeMs = 10 * 60_000;

/** One OPAQUE message of an exchange: the longest, the box's answer, has 320 bytes. */
export const pairingMessageBytesMax = 1024;

/** How often boxes compare their member lists, should a change not have reached one: one small request a minute. */
export const memberExchangePeriodMs = 60_000;

/**
 * Hashes on libuv's thread pool at once: more of them than cores only take turns (measured with a pool of four threads,
 * where writes and syncs waited behind them: 270 instead of 400 MB/s of `ChunkStore.put`).
 */
export const hashesInFlightMax = 2;

/** Bytes hashed on the event loop before it looks at its sockets and disks again: about a millisecond. */
export const hashedBytesPerTurnMax = 1024 * 1024;
