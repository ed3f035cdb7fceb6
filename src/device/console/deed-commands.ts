import { formatDuration, printable, wrapText } from '../../base/format.ts';
import type { PairingCode } from '../../control/appliance-control.ts';
import { boxLabelOf } from '../../status/facts.ts';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  done,
  refuseMore,
  required,
  UsageError,
  withName,
} from './command.ts';
import { diskLines } from './disk-view.ts';
import { showUpdate } from './read-commands.ts';
import { conditionKeyLines } from './views.ts';

/** Commands that do something; those that cannot be undone ask for the box's name. */
export const deedCommands: readonly Command[] = [
  {
    name: 'disks',
    usage: '[adopt DEV | locate DEV [off] | retire DISK | forget DISK] [--json]',
    summary: 'the disks; take a blank one into use, blink one, empty one to pull it, stop waiting for one',
    words: ['--json', 'adopt', 'forget', 'locate', 'retire'],
    data: (args, { box }) => {
      refuseMore(args, 0);
      const { volumes, disks } = box.control.status();
      return { volumes, disks };
    },
    run: disks,
  },
  {
    name: 'update',
    usage: '[install] [--json]',
    summary: 'whether an update waits; install: begin to install it',
    words: ['--json', 'install'],
    data: (args, { box }) => {
      refuseMore(args, 0);
      return box.control.status().update;
    },
    run: update,
  },
  {
    name: 'identify',
    usage: '[off]',
    summary: 'blink both lights, so that this box can be found',
    words: ['off'],
    run: (args, { box }) => {
      const on = isOn(args, 0);
      box.control.identify(on);
      return done([on ? 'Both lights blink fast for a minute.' : 'The lights show how the box is again.']);
    },
  },
  {
    name: 'pair',
    usage: '',
    summary: 'a code for a desktop to claim this box or log in',
    words: [],
    run: (args, context) => {
      refuseMore(args, 0);
      return done(pairLines(context.box.control.pair(), context));
    },
  },
  {
    name: 'ack',
    usage: '[KEY]',
    summary: 'you have seen it, and the lights are silent about it; alone: what there is, by its key',
    words: [],
    run: acknowledge,
  },
  {
    name: 'pin',
    usage: 'set | clear',
    summary: 'a maintenance PIN that this console and the page ask for',
    words: ['clear', 'set'],
    run: pin,
  },
  {
    name: 'mqtt',
    usage: '[approve NAME | forget] [--json]',
    summary: 'the MQTT broker this box reports to, and those found on the network',
    words: ['--json', 'approve', 'forget'],
    data: (args, context) => {
      refuseMore(args, 0);
      const { broker } = context.box;
      return broker === undefined ? null : { state: broker.state(), found: broker.found() };
    },
    run: mqtt,
  },
  {
    name: 'reset',
    usage: 'access | factory',
    summary: 'access: forget names, addresses and the PIN; factory: forget the pool and everything else too',
    words: ['access', 'factory'],
    run: reset,
  },
  {
    name: 'support',
    usage: '',
    summary: 'print what support needs to see; it holds no secrets and no names of files',
    words: [],
    run: support,
  },
  {
    name: 'restart',
    usage: '',
    summary: 'stop the box and start it again',
    words: [],
    run: (args, context) => {
      refuseMore(args, 0);
      return withName(context, { warning: 'to restart it', refused: 'Not restarted' }, async () => {
        context.print('Restarting. Do not unplug the box.');
        await context.box.control.restart();
        return done([]);
      });
    },
  },
  {
    name: 'shutdown',
    usage: '',
    summary: 'stop the box, so that it can be unplugged',
    words: [],
    run: (args, context) => {
      refuseMore(args, 0);
      return withName(context, { warning: 'to shut it down', refused: 'Not shut down' }, async () => {
        context.print('Shutting down. Do not unplug the box yet.');
        await context.box.control.shutdown();
        return done(['The box has stopped.']);
      });
    },
  },
];

async function disks(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const { control } = context.box;
  const [deed] = args;
  switch (deed) {
    case undefined:
      return done(diskLines(control.status(), context.columns));
    case 'adopt': {
      refuseMore(args, 2);
      const device = required(args, 1, 'the device of a blank disk');
      const disk = control.status().disks.find((each) => each.device === device);
      const isFilled = disk !== undefined && boxLabelOf(disk) !== undefined;
      const asked = isFilled
        ? { warning: `to take ${printable(device)} back as it is`, refused: 'Not taken back' }
        : { warning: `to format ${printable(device)}`, refused: 'Not formatted' };
      return withName(context, asked, async () => {
        if (!isFilled) context.print('Formatting. This can take a minute.');
        await control.disks.adopt(device);
        return done([`Disk ${printable(device)} is in use now.`]);
      });
    }
    case 'locate': {
      const device = required(args, 1, 'the device of a disk');
      const on = isOn(args, 2);
      await control.disks.locate(device, on);
      return done([
        on ? `The lamp of ${printable(device)} blinks for a minute.` : 'It does not blink any more.',
      ]);
    }
    case 'retire': {
      refuseMore(args, 2);
      const volume = required(args, 1, 'the name of a disk');
      const asked = { warning: `to empty disk ${printable(volume)}`, refused: 'Not emptied' };
      return withName(context, asked, async () => {
        context.print(
          'Copying what only this disk holds. Status tells how far it is; Ctrl-C only ends the waiting.',
        );
        const retired = control.disks.retire(volume);
        const left = await Promise.race([retired.then(() => 'retired'), abortOf(context.signal)]);
        if (left === 'left') retired.catch(() => {});
        return done(
          left === 'left' ? ['It goes on.'] : [`Disk ${printable(volume)} is empty and may be pulled.`],
        );
      });
    }
    case 'forget': {
      refuseMore(args, 2);
      const volume = required(args, 1, 'the name of a disk that is missing');
      const asked = { warning: `to go on without disk ${printable(volume)}`, refused: 'Not forgotten' };
      return withName(context, asked, async () => {
        await control.disks.forget(volume);
        return done([`Disk ${printable(volume)} is not waited for any more.`]);
      });
    }
    default:
      throw new UsageError(`what is meant by ${deed}?`);
  }
}

async function acknowledge(
  args: readonly string[],
  { box, columns }: CommandContext,
): Promise<CommandResult> {
  refuseMore(args, 1);
  const [key] = args;
  if (key === undefined) return done(conditionKeyLines(box.control.status(), columns));
  await box.control.acknowledge(key);
  return done(['Noted.']);
}

async function update(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const [deed] = args;
  refuseMore(args, 1);
  if (deed === undefined) return showUpdate(context);
  if (deed !== 'install') throw new UsageError(`what is meant by ${deed}?`);
  return withName(context, { warning: 'to install the update', refused: 'Not installed' }, async () => {
    await context.box.control.installUpdate();
    return done(['It is being installed. Do not unplug the box.']);
  });
}

async function pin(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const { control } = context.box;
  refuseMore(args, 1);
  const deed = required(args, 0, 'set or clear');
  if (deed === 'clear') {
    await control.setPin(null);
    return done(['The PIN is taken off.']);
  }
  if (deed !== 'set') throw new UsageError(`what is meant by ${deed}?`);
  const first = await context.ask('New PIN: ', { hidden: true });
  const second = first === undefined ? undefined : await context.ask('Once more: ', { hidden: true });
  if (first === undefined || first !== second)
    return { lines: ['Not set: the two are not the same.'], exitStatus: 1 };
  await control.setPin(first);
  return done(['The PIN is set.']);
}

async function mqtt(args: readonly string[], { box }: CommandContext): Promise<CommandResult> {
  const { broker } = box;
  if (broker === undefined) return done(['This box reports to no MQTT broker.']);
  const [deed, ...rest] = args;
  if (deed === undefined) return done(brokerLines(broker));
  if (deed === 'forget') {
    refuseMore(rest, 0);
    await broker.forget();
    return done(['No broker that was found is used any more.']);
  }
  if (deed !== 'approve') throw new UsageError(`what is meant by ${deed}?`);
  // Names of services may have blanks in them.
  const name = rest.join(' ');
  required(rest, 0, 'the name of a broker');
  await broker.approve(name);
  return done([`This box reports to ${printable(name)} from now on.`]);
}

function brokerLines(broker: NonNullable<CommandContext['box']['broker']>): readonly string[] {
  const { phase, broker: at, error } = broker.state();
  const found = broker
    .found()
    .map(({ instance, host, port, approved }) =>
      printable(`found: ${instance} at ${host}:${port}${approved ? ', approved' : ''}`),
    );
  return [
    printable(`${phase}${at === null ? '' : `: ${at}`}`),
    ...(error === null ? [] : [printable(error.message)]),
    ...(found.length === 0 ? ['No broker was found on this network.'] : found),
  ];
}

async function reset(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const { control } = context.box;
  refuseMore(args, 1);
  const what = required(args, 0, 'access or factory');
  if (what === 'access') {
    const asked = {
      warning: 'to forget its names, addresses and PIN, and restart it',
      refused: 'Nothing was reset',
    };
    return withName(context, asked, async () => {
      await control.resetAccess();
      return done(['Reset. The box restarts.']);
    });
  }
  if (what !== 'factory') throw new UsageError(`what is meant by ${what}?`);
  const asked = {
    warning: 'to make it forget its pool, its keys and everything else',
    refused: 'Nothing was reset',
  };
  return withName(context, asked, async () => {
    context.print('Resetting. What its disks hold stays, but only its pool can read it.');
    await control.factoryReset();
    return done([]);
  });
}

async function support(args: readonly string[], { box }: CommandContext): Promise<CommandResult> {
  refuseMore(args, 0);
  const files = await box.control.supportBundle();
  const lines = files.flatMap(({ name, text }) => [`==== ${name}`, ...text.trimEnd().split('\n')]);
  return done(['==== support bundle begins', ...lines.map(printable), '==== support bundle ends']);
}

function pairLines(
  { code, expiresAtMs }: PairingCode,
  { box, wallMs, columns }: CommandContext,
): readonly string[] {
  const { box: self, pool } = box.control.status();
  const kind = pool === null ? 'Claim code' : 'Login code';
  const verb = pool === null ? 'claim' : 'login';
  const validity = expiresAtMs === null ? '' : `, valid for ${formatDuration(expiresAtMs - wallMs)}`;
  const text = `${kind}: ${code}${validity}`;
  return [text, `On a desktop, run: aether ${verb} ${self.name}`].flatMap((line) =>
    wrapText(printable(line), columns),
  );
}

/** Whether the argument at `index`, the last one, says nothing or `off`. */
function isOn(args: readonly string[], index: number): boolean {
  refuseMore(args, index + 1);
  const word = args[index];
  if (word !== undefined && word !== 'off') throw new UsageError(`what is meant by ${word}?`);
  return word === undefined;
}

function abortOf(signal: AbortSignal): Promise<'left'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('left');
    else signal.addEventListener('abort', () => resolve('left'), { once: true });
  });
}
