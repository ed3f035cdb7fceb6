// npm run lan: three boxes and a desktop on one LAN, and a shell on the desktop.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { aetherCommand, BoxProcess, logFileOf } from './box-process.ts';
import { drawLan, firstSteps } from './lan-picture.ts';
import { exitOnSignals, Lan, type LanHost, whyNoLan } from './network.ts';
import { temporaryFolder } from './temporary-folder.ts';

const boxNames = ['alder', 'birch', 'cedar'];
const desktopName = 'desktop';

const usage = `Usage: npm run lan [-- --keep DIR]

Three boxes as three hosts on one LAN inside this computer, each with two disks, and a fourth host, the desktop,
where a shell opens with aether at hand. Everything is gone when the shell ends. Needs root and Linux.

  --keep DIR  keep the boxes' disks and state and the desktop's keys in DIR, and use them again next time`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const reason = whyNoLan();
  if (reason !== undefined) {
    console.error(reason);
    return 1;
  }
  const folder = openFolder(values.keep);
  const lan = Lan.create([...boxNames, desktopName]);
  const boxes: BoxProcess[] = [];
  const stopAll = async () => {
    await Promise.allSettled(boxes.map((box) => box.stop()));
    lan.close();
  };
  exitOnSignals(stopAll);
  try {
    const starts = boxNames.map((name) =>
      BoxProcess.start({ name, folder: join(folder, name) }, lan.host(name)),
    );
    for (const start of starts) boxes.push(await start);
    const home = join(folder, desktopName);
    mkdirSync(home, { recursive: true });
    console.log(`${drawLan(lan, boxes)}\n\n${firstSteps(boxes)}\n`);
    const logs = boxes.map((box) => basename(logFileOf(box.options.folder)));
    console.log(`Logs: ${logs.join(', ')} in ${folder}`);
    if (values.keep !== undefined) console.log(`Kept in ${folder}`);
    return await openShell(lan.host(desktopName), home);
  } finally {
    await stopAll();
  }
}

/** The folder that is kept, or one that is removed when this process ends. */
function openFolder(keep: string | undefined): string {
  if (keep !== undefined) {
    mkdirSync(keep, { recursive: true });
    return resolve(keep);
  }
  return temporaryFolder('lan');
}

/** A shell on the desktop; without a terminal it runs what comes on standard input. Resolves with its exit code. */
async function openShell(desktop: LanHost, home: string): Promise<number> {
  const rcFile = join(home, 'shell.rc');
  writeFileSync(rcFile, shellStart);
  const interactive = process.stdin.isTTY === true;
  if (interactive) console.log('\nA shell on the desktop; "exit" takes everything down again.\n');
  const [command, ...args] = desktop.argv('bash', interactive ? ['--rcfile', rcFile, '-i'] : ['-s']);
  const shell = spawn(command!, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      AETHER_HOME: join(home, 'aether'),
      PATH: `${dirname(aetherCommand)}:${process.env.PATH ?? ''}`,
    },
  });
  const { promise, resolve: settle } = Promise.withResolvers<number>();
  shell.once('error', () => settle(127));
  shell.once('exit', (code) => settle(code ?? 1));
  return promise;
}

const shellStart = `[ -r ~/.bashrc ] && . ~/.bashrc
PS1='\\[\\e[1m\\]desktop\\[\\e[0m\\]:\\w\\$ '
`;

process.exitCode = await main();
