import type { TLSSocket } from 'node:tls';
import type { Bytes } from '../base/bytes.ts';

/**
 * Memory that every TLS socket of the process reads into, one after the other: OpenSSL hands on at most one record
 * (16 KiB) at a time, and the callback is done with it before the next. Without it, Node takes fresh memory for
 * each record, and the page faults cost as much as the decryption.
 */
export const sharedReadBuffer: Bytes = new Uint8Array(Buffer.allocUnsafeSlow(16 * 1024).buffer);

interface ReadHandle {
  useUserBuffer?(buffer: Bytes): void;
}

/**
 * Calls `bytes` with what `socket` receives, in memory that is valid only during the call.
 *
 * `tls.connect` has the option `onread` for that; sockets that a server accepts have no public way to it, so for
 * them this sets what the option would have set. Where Node's insides differ from what we know, it reads in the
 * ordinary way; returns whether the shared buffer is in use.
 */
export function readIntoSharedBuffer(socket: TLSSocket, bytes: (bytes: Bytes) => void): boolean {
  const handle = (socket as unknown as { readonly _handle: ReadHandle | null })._handle;
  const buffer = ownSymbol(socket, 'kBuffer');
  const callback = ownSymbol(socket, 'kBufferCb');
  if (buffer === undefined || callback === undefined || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', bytes);
    return false;
  }
  Object.assign(socket, {
    [buffer]: sharedReadBuffer,
    [callback]: (count: number) => {
      bytes(sharedReadBuffer.subarray(0, count));
      return true;
    },
  });
  handle.useUserBuffer(sharedReadBuffer);
  return true;
}

function ownSymbol(socket: TLSSocket, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === description);
}
