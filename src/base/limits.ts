/** Every bound of the product, named, with why. A queue, cache, retry or packet without a line here is a defect. */

/** Largest plaintext chunk the chunker may cut with a pool's default parameters. */
export const chunkBytesMax = 256 * 1024;

/** Largest sealed chunk any pool may use (parameters up to 1 MiB average are foreseen), with AEAD tag and header. */
export const sealedChunkBytesMax = 1024 * 1024 + 64;

/** Payload of one frame: a sealed chunk and its id, or one page of control data. */
export const framePayloadBytesMax = sealedChunkBytesMax + 1024;

/** Requests one connection may have unanswered; more and the reader is paused. 64 small reads fill a gigabit link. */
export const requestsInFlightMax = 128;

/** Bytes of requests one connection may have unanswered before its reader is paused: 16 chunks of 256 KiB. */
export const requestBytesInFlightMax = 4 * 1024 * 1024;

/** Connections a box accepts at once: 64 members with two each, and some strangers. */
export const connectionsMax = 160;

/** Of these, connections of parties that are no members (they may only pair). */
export const strangerConnectionsMax = 16;

/** A stranger must finish pairing within this, else the connection is closed. */
export const strangerLifetimeMs = 60_000;

/** Wrong codes before pairing locks, and for how long (storage.md: five wrong codes lock pairing for a while). */
export const pairingTriesMax = 5;
export const pairingLockMs = 15 * 60_000;

/** Members of one pool: placement and gossip are measured up to this. */
export const membersMax = 256;

/** One path component in UTF-8 bytes: what ext4, APFS and NTFS can all hold. */
export const nameBytesMax = 255;

/** Components of one path, and its bytes: PATH_MAX of Linux. */
export const pathDepthMax = 256;
export const pathBytesMax = 4096;

/** Operations in one log record, and its bytes: a record is one frame and one fsync. */
export const logOperationsMax = 1024;
export const logRecordBytesMax = 512 * 1024;

/** Files up to this many bytes live inside their manifest. */
export const inlineFileBytesMax = 4096;

/** Log entries kept in memory for the console. */
export const logEntriesMax = 2000;
