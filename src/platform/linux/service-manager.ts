import { closeSync } from 'node:fs';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import type { ServiceManager } from '../../ports/service-manager.ts';
import { libc } from './libc.ts';

const unixFamily = 1;
/** SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK. */
const datagramSocket = 2 | 0o2000000 | 0o4000;
/** sockaddr_un: the family, then at most 108 bytes of path. */
const pathBytesMax = 108;

/**
 * Tells systemd how the service is, by its datagram protocol (sd_notify(3)). Undefined where it does not ask: no
 * `NOTIFY_SOCKET`, or another system.
 */
export function serviceManager(env: NodeJS.ProcessEnv): ServiceManager | undefined {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: watchdogUs } = env;
  if (process.platform !== 'linux' || path === undefined || path === '') return undefined;
  const address = addressOf(path);
  if (address === undefined) return undefined;
  const watchdogMs = Number(watchdogUs) / 1000;
  return {
    watchdogMs: Number.isFinite(watchdogMs) && watchdogMs > 0 ? watchdogMs : undefined,
    tell: (words) => send(address, new TextEncoder().encode(words)),
  };
}

/** `@name` is a name that no file system has. */
function addressOf(path: string): Bytes | undefined {
  const name = new TextEncoder().encode(path);
  if (name.length >= pathBytesMax) return undefined;
  if (path.startsWith('@')) name[0] = 0;
  const address = new Uint8Array(2 + name.length + (path.startsWith('@') ? 0 : 1));
  viewOf(address).setUint16(0, unixFamily, true);
  address.set(name, 2);
  return address;
}

/** Nobody waits for an answer, and there is none: a manager that cannot be told sees it by its watchdog. */
function send(address: Bytes, message: Bytes): void {
  const descriptor = libc().socket(unixFamily, datagramSocket, 0);
  if (descriptor < 0) return;
  libc().sendto(descriptor, message, message.length, 0, address, address.length);
  closeSync(descriptor);
}
