import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes, fromHex, toHex } from '../../base/bytes.ts';
import { describeError, hasCode } from '../../base/errors.ts';
import { type FilesErrorCode, filesError } from '../files-error.ts';
import { compareTimes, earliestTime, type HybridTime, receive, tick } from './hybrid-clock.ts';
import { damagedBodies, LogFile } from './log-file.ts';
import type { LogStorePorts } from './log-ports.ts';
import {
  createRecord,
  decodeRecord,
  type LogRecord,
  noRecord,
  openRecord,
  recordHash,
  signedMessage,
} from './log-record.ts';
import type { Operation } from './operations.ts';

/** A record and what it says. */
export interface OpenedRecord {
  readonly author: Bytes;
  readonly seq: number;
  readonly operations: readonly Operation[];
}

export interface Appended extends OpenedRecord {
  /** Resolves when the record is durable here. Errors: `DiskErrorCode`, `LOG_FAILED`. */
  readonly durable: Promise<void>;
}

export interface RefusedRecord {
  readonly author: Bytes;
  readonly seq: number;
  readonly code: FilesErrorCode;
}

/** Number of each author's next record, by hexadecimal member id. */
export type Vector = ReadonlyMap<string, number>;

interface AuthorLog {
  readonly author: Bytes;
  readonly file: LogFile;
  /** The chain as far as it was handed to the file, durable or not. */
  nextSeq: number;
  lastHash: Bytes;
  /** Hash of the last durable record. */
  durableHash: Bytes;
  /** Goes up when records are given up, so that each failed batch is undone once. */
  generation: number;
}

const folder = 'log';
const readBytesMax = 1024 * 1024;

/** All logs that this box holds: its own, which it appends to, and copies of the others'. */
export class LogStore {
  readonly #ports: LogStorePorts;
  readonly #logs = new Map<string, AuthorLog>();
  readonly #opening = new Map<string, Promise<AuthorLog>>();
  readonly #listeners = new Set<(record: OpenedRecord) => void>();
  readonly #durableListeners = new Set<(author: Bytes) => void>();
  readonly #failureListeners = new Set<() => void>();
  readonly #pending = new Set<Promise<void>>();
  /** Times of records that were refused for their clocks, by author: either they are wrong, or we are. */
  readonly #tooNew = new Map<string, HybridTime>();
  #time: HybridTime = earliestTime;
  /** Records of our own that are known to have been durable once: no new ones before these are back. */
  #ownReached = 0;
  #ownForked = false;

  private constructor(ports: LogStorePorts) {
    this.#ports = ports;
  }

  /** Opens every log in `log/`, cutting torn tails. Errors: `DiskErrorCode`. */
  static async open(ports: LogStorePorts): Promise<LogStore> {
    const store = new LogStore(ports);
    await ports.disk.makeDirectory(folder);
    await ports.disk.syncDirectory('');
    for (const name of await ports.disk.list(folder)) {
      const author = /^[0-9a-f]{64}\.log$/.test(name) ? fromHex(name.slice(0, 64)) : undefined;
      if (author !== undefined) await store.#log(author);
    }
    const own = await store.#log(ports.signer.memberId);
    const path = pathOf(own.author);
    for (const body of await damagedBodies(ports.disk, path)) store.expectOwn(decodeRecord(body).seq + 1);
    if (!store.ownIsWhole && own.file.damaged) {
      ports.log.error('own log is damaged', { records: own.nextSeq, expected: store.#ownReached });
    }
    return store;
  }

  get self(): Bytes {
    return this.#ports.signer.memberId;
  }

  /** False while records of our own that had been durable are missing; until then `append` refuses. */
  get ownIsWhole(): boolean {
    return this.#own().nextSeq >= this.#ownReached;
  }

  /**
   * True while the records of most other authors are too far ahead of our wall clock to be taken; until then `append`
   * refuses. It is our clock that is wrong then (a box without a battery), and what it stamped would lose against all
   * that is there. One box among several that runs ahead, or lies, does not stop the others; of two boxes nobody can
   * tell which is wrong.
   */
  get clockSkewed(): boolean {
    const wallMs = this.#ports.clock.wallMs();
    const ahead = [...this.#tooNew].filter(([, time]) => !receive(this.#time, time, wallMs).accepted);
    if (ahead.length === 0) return false;
    const others = new Set(this.#tooNew.keys());
    for (const [name, { nextSeq }] of this.#logs) if (nextSeq > 0) others.add(name);
    others.delete(toHex(this.self));
    return 2 * ahead.length > others.size;
  }

  /** Length of our own chain: the durable records and those on their way to the disk. */
  get ownCount(): number {
    return this.#own().nextSeq;
  }

  /** Says that our own log once held `count` records. */
  expectOwn(count: number): void {
    this.#ownReached = Math.max(this.#ownReached, count);
  }

  /** The same, shown by our record number `seq`; false when `body` is none that we have signed. */
  expectOwnRecord(body: Bytes, seq: number): boolean {
    const isOurs = this.#isOurs(decodeRecord(body), seq);
    if (isOurs) this.expectOwn(seq + 1);
    return isOurs;
  }

  /**
   * Compares our durable record `seq` with what another box has as it. Another one that we have signed as well
   * means two histories, as after an old image of the disk was put back: from then on `append` refuses. Errors:
   * `LOG_FORKED`; `LOG_RECORD_INVALID`: we have not signed it.
   */
  async compareOwnRecord(body: Bytes, seq: number): Promise<void> {
    const theirs = decodeRecord(body);
    if (!this.#isOurs(theirs, seq))
      throw filesError('LOG_RECORD_INVALID', 'a box shows a false record of ours');
    const [ours] = await this.read(this.self, seq, 1);
    if (ours === undefined || equalBytes(recordHash(decodeRecord(ours)), recordHash(theirs))) return;
    this.#ownForked = true;
    this.#ports.log.error('own log has two histories', { seq });
    throw ownForked();
  }

  /** Whether another box has another history of our own log; then `append` refuses. */
  get ownIsForked(): boolean {
    return this.#ownForked;
  }

  /** Of the latest record that is here, in milliseconds since 1970; 0 when there is none. */
  get latestMs(): number {
    return this.#time.ms;
  }

  /** The next reading of this box's hybrid clock; each is later than all before and all received. */
  tick(): HybridTime {
    this.#time = tick(this.#time, this.#ports.clock.wallMs());
    return this.#time;
  }

  /**
   * Appends one record of our own with `operations`, whose clocks come from {@link tick}. The record has its place
   * in the chain, and the listeners have heard of it, when this returns; `durable` says when it is on disk.
   * Errors: `COMMIT_TOO_LARGE`, `LOG_CORRUPT` (our log has lost records), `LOG_FORKED`, `EPOCH_UNKNOWN`,
   * `CLOCK_SKEW` (see {@link clockSkewed}).
   */
  append(operations: readonly Operation[]): Appended {
    const { signer, entropy, keys } = this.#ports;
    const own = this.#own();
    if (this.#ownForked) throw ownForked();
    if (!this.ownIsWhole) throw filesError('LOG_CORRUPT', "this box's log has lost records");
    if (this.clockSkewed) throw filesError('CLOCK_SKEW', "this box's clock is far behind another box's");
    const record = createRecord(
      { author: signer.memberId, seq: own.nextSeq, prev: own.lastHash, epoch: keys.epoch, operations },
      { metadataKey: this.#metadataKey(keys.epoch), nonce: entropy.bytes(12) },
      (message) => signer.sign(message),
    );
    const durable = this.#take(own, record);
    const opened = { author: record.author, seq: record.seq, operations };
    this.#tell(opened);
    return { ...opened, durable };
  }

  /**
   * Takes records of any authors, each author's in order; what is already here is skipped. When it resolves, all
   * that was not refused is durable, whoever brought it. A refused record stops its author's others. Errors:
   * `DiskErrorCode`, `LOG_FAILED`.
   */
  async receive(bodies: readonly Bytes[]): Promise<{ readonly refused: readonly RefusedRecord[] }> {
    const refused: RefusedRecord[] = [];
    const stopped = new Set<string>();
    const durable: Promise<void>[] = [];
    const isTaken = (record: LogRecord) => record.seq < (this.#logs.get(toHex(record.author))?.nextSeq ?? 0);
    let skipped = false;
    for (const body of bodies) {
      const record = decodeRecord(body);
      const name = toHex(record.author);
      if (stopped.has(name)) continue;
      skipped ||= isTaken(record);
      if (isTaken(record)) continue;
      const known = this.#ports.authors.verify(record.author, signedMessage(record.signed), record.signature);
      const log = known === 'valid' ? (this.#logs.get(name) ?? (await this.#log(record.author))) : undefined;
      skipped ||= isTaken(record);
      if (isTaken(record)) continue;
      const outcome = log === undefined ? codeOf(known) : this.#accept(log, record);
      if (typeof outcome === 'string') {
        stopped.add(name);
        refused.push({ author: record.author, seq: record.seq, code: outcome });
        this.#ports.log.warn('log record refused', { code: outcome, seq: record.seq });
      } else durable.push(outcome);
    }
    await Promise.all(durable);
    // Another box brought them a moment ago: they may be on their way to the disk still.
    if (skipped) await this.settled();
    return { refused };
  }

  /** What is durable here. */
  vector(): Vector {
    const vector = new Map<string, number>();
    for (const [name, { file }] of this.#logs) if (file.count > 0) vector.set(name, file.count);
    return vector;
  }

  /** Bodies of `author`'s durable records from number `from`, as many as fit, at least one if there is. */
  async read(author: Bytes, from: number, bytesMax = readBytesMax): Promise<readonly Bytes[]> {
    return (await this.#logs.get(toHex(author))?.file.read(from, bytesMax)) ?? [];
  }

  /** All durable records of `author` from number `from` on, opened. Errors: `EPOCH_UNKNOWN`, `LOG_CORRUPT`. */
  async *replay(author: Bytes, from: number): AsyncGenerator<OpenedRecord> {
    for (let seq = from; ; ) {
      const bodies = await this.read(author, seq);
      if (bodies.length === 0) return;
      for (const body of bodies) yield this.#open(decodeRecord(body));
      seq += bodies.length;
    }
  }

  /** Resolves when every record that was handed out so far is durable; rejects when one failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Hears of each new record, in each author's order, before it is durable. */
  onRecord(listener: (record: OpenedRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears when an author's log has become longer on disk. */
  onDurable(listener: (author: Bytes) => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  /** Hears when records that listeners were told of did not become durable: what was made of them is void. */
  onFailure(listener: () => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    for (const { file } of this.#logs.values()) await file.close();
  }

  /** Checks that `record` goes on where `log` ends, and takes it. */
  #accept(log: AuthorLog, record: LogRecord): Promise<void> | FilesErrorCode {
    if (record.seq > log.nextSeq) return 'LOG_GAP';
    if (!equalBytes(record.prev, log.lastHash)) return 'LOG_FORKED';
    let opened: OpenedRecord;
    try {
      opened = this.#open(record);
    } catch (error) {
      return hasCode(error, 'EPOCH_UNKNOWN') ? 'EPOCH_UNKNOWN' : 'LOG_RECORD_INVALID';
    }
    const latest = opened.operations.reduce(
      (time, { clock }) => (compareTimes(clock, time) > 0 ? clock : time),
      record.clock,
    );
    const own = equalBytes(record.author, this.self);
    const received = receive(this.#time, latest, this.#ports.clock.wallMs());
    if (received.accepted) this.#time = received.time;
    // Our own readings were right when we made them; only after them may new ones come.
    else if (own) this.#time = latest;
    else {
      this.#tooNew.set(toHex(record.author), latest);
      return received.code;
    }
    this.#tooNew.delete(toHex(record.author));
    const durable = this.#take(log, record);
    this.#tell(opened);
    return durable;
  }

  #take(log: AuthorLog, record: LogRecord): Promise<void> {
    assert(record.seq === log.nextSeq, 'records are taken in order');
    log.nextSeq++;
    const hash = recordHash(record);
    log.lastHash = hash;
    const { generation } = log;
    const durable = log.file.append(record.seq, [record.body]).then(
      () => {
        log.durableHash = hash;
        this.#pending.delete(durable);
        for (const listener of this.#durableListeners) listener(record.author);
      },
      (error) => {
        this.#pending.delete(durable);
        if (generation === log.generation) this.#rewind(log, error);
        throw error;
      },
    );
    this.#pending.add(durable);
    durable.catch(() => {});
    return durable;
  }

  /** Sets the chain back to what is durable. */
  #rewind(log: AuthorLog, error: unknown): void {
    this.#ports.log.error('log record could not be written', { reason: describeError(error) });
    log.generation++;
    log.nextSeq = log.file.count;
    log.lastHash = log.durableHash;
    for (const listener of this.#failureListeners) listener();
  }

  #isOurs(record: LogRecord, seq: number): boolean {
    if (!equalBytes(record.author, this.self) || record.seq !== seq) return false;
    return this.#ports.authors.verify(this.self, signedMessage(record.signed), record.signature) === 'valid';
  }

  #open(record: LogRecord): OpenedRecord {
    const operations = openRecord(record, this.#metadataKey(record.epoch));
    return { author: record.author, seq: record.seq, operations };
  }

  #metadataKey(epoch: number): Bytes {
    const key = this.#ports.keys.metadataKey(epoch);
    if (key === undefined) {
      throw filesError('EPOCH_UNKNOWN', 'no key of that epoch', { fields: { epoch } });
    }
    return key;
  }

  #tell(record: OpenedRecord): void {
    for (const listener of this.#listeners) listener(record);
  }

  #own(): AuthorLog {
    const own = this.#logs.get(toHex(this.self));
    assert(own !== undefined, 'the own log is opened first');
    return own;
  }

  #log(author: Bytes): Promise<AuthorLog> {
    const name = toHex(author);
    const known = this.#logs.get(name);
    if (known !== undefined) return Promise.resolve(known);
    const opening = this.#opening.get(name) ?? this.#openLog(author, name);
    this.#opening.set(name, opening);
    return opening.finally(() => this.#opening.delete(name));
  }

  async #openLog(author: Bytes, name: string): Promise<AuthorLog> {
    const file = await LogFile.open(this.#ports.disk, pathOf(author));
    const last = file.lastBody === undefined ? undefined : decodeRecord(file.lastBody);
    const hash = last === undefined ? noRecord : recordHash(last);
    const log = { author, file, nextSeq: file.count, lastHash: hash, durableHash: hash, generation: 0 };
    if (last !== undefined && compareTimes(last.clock, this.#time) > 0) this.#time = last.clock;
    if (file.damaged)
      this.#ports.log.error('log is damaged', { author: name.slice(0, 8), records: file.count });
    this.#logs.set(name, log);
    return log;
  }
}

function ownForked() {
  return filesError('LOG_FORKED', "another box has another history of this box's log");
}

function pathOf(author: Bytes): string {
  return `${folder}/${toHex(author)}.log`;
}

function codeOf(known: 'valid' | 'invalid' | 'unknown'): FilesErrorCode {
  return known === 'unknown' ? 'LOG_AUTHOR_UNKNOWN' : 'LOG_SIGNATURE_INVALID';
}
