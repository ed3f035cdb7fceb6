import koffi from 'koffi';

/** The calls of Linux that Node has no door to. Each gives −1 on failure, and {@link errorNumber} why. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Uint8Array, bytes: number): number;
  setsockopt(descriptor: number, level: number, option: number, value: Uint8Array, bytes: number): number;
  sendto(
    descriptor: number,
    message: Uint8Array,
    bytes: number,
    flags: number,
    address: Uint8Array,
    addressBytes: number,
  ): number;
  if_nametoindex(name: string): number;
  eventfd(initial: number, flags: number): number;
  /** Waits in one thread of libuv's pool; `ready` hears the result and the number of the error. */
  poll(descriptors: Uint8Array, count: number, timeoutMs: number, ready: (result: number) => void): void;
}

let loaded: Libc | undefined;

/** Loads the C library at the first call; only on Linux. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

/** The number of the last call's error. */
export function errorNumber(): number {
  return koffi.errno();
}

/** `EPERM` for 1, or the number itself where it has no name here. */
export function errorName(number: number): string {
  return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
}

export function isError(number: number, ...names: readonly string[]): boolean {
  return names.some((name) => koffi.os.errno[name] === number);
}

function load(): Libc {
  const c = koffi.load('libc.so.6');
  const poll = c.func('int poll(void *, unsigned long, int)');
  return {
    socket: c.func('int socket(int, int, int)'),
    bind: c.func('int bind(int, const void *, uint32_t)'),
    setsockopt: c.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    sendto: c.func('long sendto(int, const void *, size_t, int, const void *, uint32_t)'),
    if_nametoindex: c.func('unsigned int if_nametoindex(const char *)'),
    eventfd: c.func('int eventfd(unsigned int, int)'),
    poll: (descriptors, count, timeoutMs, ready) =>
      poll.async(descriptors, count, timeoutMs, (error: unknown, result: number) =>
        ready(error === null ? result : -1),
      ),
  };
}
