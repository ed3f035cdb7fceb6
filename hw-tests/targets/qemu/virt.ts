import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { DeviceWords, ImageFiles, MachineKind, MachineParts } from './machine-kind.ts';

/** Without what no Raspberry Pi has either, and programs use where it is there: emulated, that takes a fifth more time. */
const processor = 'max,pauth=off,sve=off,sme=off';
const computer = (processors: number) => ['-cpu', processor, '-smp', String(processors), '-m', '512M'];
/** Where U-Boot looks for its environment. */
const secondFlash = 0x400_0000;

/** QEMU's `virt`: every device is one that QEMU does fast. */
export const virt: MachineKind = {
  board: 'qemu-virt',
  slowness: 1,
  capabilities: {
    power: true,
    lights: true,
    button: true,
    disks: true,
    'same disk': true,
    'disks that hang': true,
    'memory sticks': true,
    clock: true,
    cable: true,
    dhcp: true,
    card: true,
    snapshots: true,
    'root shell': true,
    updates: true,
    watchdog: true,
    'more boxes': true,
    'second computer': true,
  },
  // PL061's data register, all lines of it.
  levels: { address: 0x90303fc, bytes: 1 },
  keepsTime: true,
  cardFormat: 'qcow2',
  prepare: makeDeviceTree,
  words: ({ folder, board, processors, storage: { drives }, wire: { tap, mac } }: MachineParts) => [
    ...['-machine', board.emulator.machine, ...computer(processors)],
    ...['-bios', join(folder, 'u-boot.bin'), '-dtb', join(folder, 'board.dtb')],
    ...[
      '-device',
      `loader,file=${join(folder, 'u-boot.env')},addr=0x${secondFlash.toString(16)},force-raw=on`,
    ],
    ...['-device', 'i6300esb', '-device', 'qemu-xhci'],
    ...['-device', 'virtio-blk-device,drive=card'],
    ...['-device', 'virtio-scsi-device,id=scsi', '-device', 'virtio-rng-device'],
    ...drives.flatMap(({ id }) => ['-device', JSON.stringify(disk(id))]),
    ...['-netdev', `tap,id=wire,ifname=${tap.interfaceName},script=no,downscript=no`],
    ...['-device', `virtio-net-device,id=net,netdev=wire,mac=${mac}`],
    ...['-serial', 'chardev:serial'],
    ...['-device', 'virtio-serial-device', '-device', 'virtconsole,chardev=root'],
  ],
  disk,
  plugCable: async ({ monitor }, plugged) => {
    await monitor.run('set_link', { name: 'net', up: plugged });
  },
  pressButton: async (machine, { button }, pressed) => {
    machine.qtest(`set_irq_in ${await findGpio(machine)} unnamed-gpio-in ${button.line} ${pressed ? 1 : 0}`);
  },
};

/** QEMU's own device tree with the board's lights in it, as the firmware of a Pi puts them into its own. */
function makeDeviceTree({ folder, board, processors, tools }: ImageFiles): void {
  const [own, made] = [join(folder, 'qemu.dtb'), join(folder, 'board.dtb')];
  const dump = ['-machine', `${board.emulator.machine},dumpdtb=${own}`];
  const words = [...dump, ...computer(processors), '-nodefaults', '-display', 'none'];
  tools.run('qemu-system-aarch64', words, [folder]);
  tools.run('fdtoverlay', ['-i', own, '-o', made, join(folder, 'overlay.dtbo')], [folder]);
}

function disk(id: string): DeviceWords {
  return { driver: 'scsi-hd', bus: 'scsi.0', drive: id, id, serial: id };
}

/** Where QEMU has the controller of lights and button, in its tree of objects. */
async function findGpio({ monitor }: Machine): Promise<string> {
  const path = '/machine/unattached';
  const children = (await monitor.run('qom-list', { path })) as readonly {
    readonly name: string;
    readonly type: string;
  }[];
  const found = children.find(({ type }) => type === 'child<pl061>');
  if (found === undefined) throw new Error('this QEMU has no PL061');
  return `${path}/${found.name}`;
}
