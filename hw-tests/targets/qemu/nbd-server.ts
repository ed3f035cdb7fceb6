import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** What is served; all in bytes. */
export interface NbdDisk {
  read(offset: number, bytes: number): Promise<Buffer>;
  write(offset: number, data: Buffer): Promise<void>;
  flush(): void;
}

/** Numbers of the protocol (NBD, doc/proto.md: "fixed newstyle" handshake, simple replies). */
const magic = 0x4e42444d41474943n;
const optionMagic = 0x49484156454f5054n;
const optionReplyMagic = 0x3e889045565a9n;
const requestMagic = 0x25609513;
const replyMagic = 0x67446698;
const option = { exportName: 1, abort: 2 } as const;
const optionUnsupported = 0x80000001;
const command = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
const forceUnitAccess = 1;
const errors = { io: 5, invalid: 22 } as const;
/** Has flags, can flush, can write through its cache. */
const exportFlags = 0b1101;
const fixedNewstyleNoZeroes = 0b11;

/** `hangs`: nothing is carried out, and no error is said. `fails`: nothing is, and it is said. */
export type NbdMode = 'answers' | 'hangs' | 'fails';

/** Serves one disk to one client after another on a UNIX socket, by the protocol of network block devices. */
export class NbdServer {
  readonly path: string;
  readonly #server: Server;
  #session: Promise<void> = Promise.resolve();
  #mode: NbdMode = 'answers';
  #changed = Promise.withResolvers<void>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async listen(path: string, disk: NbdDisk, sizeBytes: number): Promise<NbdServer> {
    rmSync(path, { force: true });
    const server = createServer();
    const nbd = new NbdServer(path, server);
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      nbd.#session = new Session(socket, disk, sizeBytes, () => nbd.#turn()).run().catch(() => {
        socket.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return nbd;
  }

  set mode(mode: NbdMode) {
    this.#mode = mode;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves when the client that was last connected is gone and all that it asked for is done, or never will be. */
  idle(): Promise<void> {
    this.mode = 'answers';
    return this.#session;
  }

  /** Whether what is asked now is to be carried out. */
  async #turn(): Promise<boolean> {
    while (this.#mode === 'hangs') await this.#changed.promise;
    return this.#mode === 'answers';
  }

  async close(): Promise<void> {
    this.#server.close();
    await this.idle();
  }
}

/** One connection: requests are carried out one after another. */
class Session {
  readonly #socket: Socket;
  readonly #disk: NbdDisk;
  readonly #sizeBytes: number;
  readonly #turn: () => Promise<boolean>;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, disk: NbdDisk, sizeBytes: number, turn: () => Promise<boolean>) {
    this.#socket = socket;
    this.#disk = disk;
    this.#sizeBytes = sizeBytes;
    this.#turn = turn;
  }

  async run(): Promise<void> {
    const bytes = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const take = (count: number) => this.#take(bytes, count);
    if (!(await this.#handshake(take))) return;
    for (;;) {
      const request = await take(28);
      if (request === undefined) return;
      if (request.readUInt32BE(0) !== requestMagic) throw new Error('not a request of NBD');
      const type = request.readUInt16BE(6);
      if (type === command.disconnect) return;
      const bytesWanted = request.readUInt32BE(24);
      const data = type === command.write ? await take(bytesWanted) : undefined;
      if (type === command.write && data === undefined) return;
      const isCarriedOut = await this.#turn();
      // Its power went while it hung: what it had not done it never did.
      if (this.#socket.destroyed) return;
      const { error, answer } = isCarriedOut ? await this.#carryOut(request, data) : { error: errors.io };
      const reply = Buffer.alloc(16);
      reply.writeUInt32BE(replyMagic, 0);
      reply.writeUInt32BE(error, 4);
      request.copy(reply, 8, 8, 16);
      this.#socket.write(answer === undefined ? reply : Buffer.concat([reply, answer]));
    }
  }

  async #carryOut(
    request: Buffer,
    data: Buffer | undefined,
  ): Promise<{ readonly error: number; readonly answer?: Buffer }> {
    const [flags, type] = [request.readUInt16BE(4), request.readUInt16BE(6)];
    const [offset, bytes] = [Number(request.readBigUInt64BE(16)), request.readUInt32BE(24)];
    if (offset + bytes > this.#sizeBytes) return { error: errors.invalid };
    try {
      if (type === command.read) return { error: 0, answer: await this.#disk.read(offset, bytes) };
      if (type === command.write) await this.#disk.write(offset, data!);
      if (type === command.flush || (flags & forceUnitAccess) !== 0) this.#disk.flush();
      return { error: type === command.write || type === command.flush ? 0 : errors.invalid };
    } catch {
      return { error: errors.io };
    }
  }

  /** False when the client leaves. */
  async #handshake(take: (count: number) => Promise<Buffer | undefined>): Promise<boolean> {
    const hello = Buffer.alloc(18);
    hello.writeBigUInt64BE(magic, 0);
    hello.writeBigUInt64BE(optionMagic, 8);
    hello.writeUInt16BE(fixedNewstyleNoZeroes, 16);
    this.#socket.write(hello);
    if ((await take(4)) === undefined) return false;
    for (;;) {
      const header = await take(16);
      if (header === undefined) return false;
      const wanted = header.readUInt32BE(8);
      if ((await take(header.readUInt32BE(12))) === undefined || wanted === option.abort) return false;
      if (wanted === option.exportName) break;
      const refusal = Buffer.alloc(20);
      refusal.writeBigUInt64BE(optionReplyMagic, 0);
      refusal.writeUInt32BE(wanted, 8);
      refusal.writeUInt32BE(optionUnsupported, 12);
      this.#socket.write(refusal);
    }
    const facts = Buffer.alloc(10);
    facts.writeBigUInt64BE(BigInt(this.#sizeBytes), 0);
    facts.writeUInt16BE(exportFlags, 8);
    this.#socket.write(facts);
    return true;
  }

  /** The next so many bytes; undefined when the client is gone. */
  async #take(bytes: AsyncIterator<Buffer>, count: number): Promise<Buffer | undefined> {
    const parts = [this.#received];
    let length = this.#received.length;
    while (length < count) {
      const next = await bytes.next();
      if (next.done === true) return undefined;
      parts.push(next.value);
      length += next.value.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
    this.#received = all.subarray(count);
    return Buffer.from(all.subarray(0, count));
  }
}
