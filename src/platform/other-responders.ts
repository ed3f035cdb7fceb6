import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const mdnsPort = 5353;
/** What a box of ours is called among them. */
export const anotherBox = 'another AetherStore box';

/** System users that responders run as: they tell who it is where other people's processes may not be looked at. */
const knownUsers: Readonly<Record<string, string>> = {
  avahi: 'avahi-daemon',
  'systemd-resolve': 'systemd-resolved',
};

/**
 * Which other programs of this computer listen on multicast DNS's port, each once: `avahi-daemon`. They share it with
 * us. Empty where nobody does, or the system does not tell.
 */
export function otherResponders(): readonly string[] {
  if (process.platform === 'darwin') return ['mDNSResponder'];
  if (process.platform !== 'linux') return [];
  const sockets = ['/proc/net/udp', '/proc/net/udp6'].flatMap(socketsIn);
  const own = new Set(socketsOf('self'));
  const others = new Map(sockets.filter(({ inode }) => !own.has(inode)).map((one) => [one.inode, one.uid]));
  if (others.size === 0) return [];
  const names = new Set<string>();
  for (const pid of linesOf(() => readdirSync('/proc')).filter((name) => /^\d+$/.test(name))) {
    const held = socketsOf(pid).filter((inode) => others.has(inode));
    if (held.length > 0) names.add(programName(pid));
    for (const inode of held) others.delete(inode);
  }
  for (const uid of others.values()) names.add(userProgram(uid));
  return [...names].sort();
}

interface PortSocket {
  readonly inode: string;
  readonly uid: string;
}

/** Lines of /proc/net/udp: `sl local_address rem_address st queues tr retrnsmt uid timeout inode …`. */
function socketsIn(path: string): readonly PortSocket[] {
  const port = `:${mdnsPort.toString(16).toUpperCase().padStart(4, '0')}`;
  return linesOf(() => readFileSync(path, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '']) => local.endsWith(port))
    .map((words) => ({ uid: words[7] ?? '', inode: words[9] ?? '' }));
}

/** Inodes of a process's sockets; none where it may not be looked at. */
function socketsOf(pid: string): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return linesOf(() => readdirSync(folder)).flatMap((name) => {
    const [link = ''] = linesOf(() => [readlinkSync(`${folder}/${name}`)]);
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    return inode === undefined ? [] : [inode];
  });
}

function programName(pid: string): string {
  const [program = 'a program'] = linesOf(() => [basename(readlinkSync(`/proc/${pid}/exe`))]);
  const [words = ''] = linesOf(() => [readFileSync(`/proc/${pid}/cmdline`, 'utf8')]);
  const isBox = words.split('\0').some((word) => /(^|\/)(src\/main\.ts|box\.mjs)$/.test(word));
  return isBox ? anotherBox : program;
}

function userProgram(uid: string): string {
  const users = linesOf(() => readFileSync('/etc/passwd', 'utf8').split('\n')).map((line) => line.split(':'));
  const user = users.find((fields) => fields[2] === uid)?.[0];
  return knownUsers[user ?? ''] ?? (user === undefined ? 'a program' : `a program of ${user}`);
}

/** What `read` gives, or nothing: processes end, and those of others are closed to us. */
function linesOf(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
