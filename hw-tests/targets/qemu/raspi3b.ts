import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bootFacts } from '../../../firmware/board.ts';
import { cardUnitBytes } from '../../../firmware/disk/disk.ts';
import type { Machine } from './machine.ts';
import type { DeviceWords, ImageFiles, MachineKind, MachineParts, Wire } from './machine-kind.ts';

/** The GPIO controller of the BCM2837 (BCM2835 ARM Peripherals, §6.1; its bus address 0x7e200000 is here for the CPU). */
const gpio = 0x3f200000;
const gpioSet = gpio + 0x1c;
const gpioLevel = gpio + 0x34;
/** The PL011, which a Pi's device tree gives to Bluetooth. */
const bluetooth = '/soc/serial@7e201000/bluetooth';
/** The USB controller's mask of interrupts, and the bit in it of its port. */
const usbInterrupts = 0x3f980018;
const usbPortInterrupt = 1 << 24;
const usbPollMs = 500;
/** The boot partition is the first one on the card (firmware/disk/disk.ts). */
const bootOffset = cardUnitBytes;

/**
 * A Pi 3B, as far as QEMU has one. It has no boot ROM: QEMU is given U-Boot and the device tree, as the firmware on the
 * card would.
 */
export const raspi3b: MachineKind = {
  board: 'rpi',
  // Four emulated cores, and a card that is read word by word.
  slowness: 4,
  capabilities: {
    power: true,
    lights: true,
    button: "QEMU's model of a Pi's pins tells nobody of a change at an input.",
    disks: true,
    'same disk': true,
    'disks that hang': true,
    'memory sticks': true,
    clock: 'A Pi has no clock that goes on without power.',
    cable: "QEMU ends when its USB network card is pulled, and does not say when that card's cable is.",
    dhcp: true,
    card: true,
    snapshots: "QEMU's USB network card cannot be brought back to a moment.",
    'root shell': true,
    updates: true,
    watchdog: "QEMU's watchdog of a Pi restarts the machine as soon as it is started.",
    'more boxes': true,
    'second computer': true,
  },
  levels: { address: gpioLevel, bytes: 4 },
  keepsTime: false,
  // No driver of SD cards says when to flush, and until then QEMU has the tables of another format in its memory.
  cardFormat: 'raw',
  prepare,
  words: ({ folder, board, storage: { card }, wire: { tap } }: MachineParts) => [
    ...['-machine', board.emulator.machine],
    ...['-kernel', join(folder, 'u-boot.bin'), '-dtb', join(folder, 'board.dtb')],
    ...['-drive', `if=sd,format=raw,file=${card}`],
    ...['-netdev', `tap,id=wire,ifname=${tap.interfaceName},script=no,downscript=no`],
    // The first is the PL011, the second the mini UART.
    ...['-serial', 'chardev:root', '-serial', 'chardev:serial'],
  ],
  onReset: async (machine, { button }, wire) => {
    // The pull-up at the button, which QEMU does not model: without it the button is held.
    machine.qtest(`writel 0x${gpioSet.toString(16)} 0x${(1 << button.line).toString(16)}`);
    await plugUsb(machine, wire);
  },
  disk,
};

/** A device tree whose PL011 is free for a root shell, and a card that asks for one there. */
function prepare({ folder, card, board, tools }: ImageFiles): void {
  const tree = join(folder, 'board.dtb');
  tools.run('cp', [join(folder, 'machine.dtb'), tree], [folder]);
  tools.run('fdtput', ['-r', tree, bluetooth], [folder]);
  const facts = join(folder, 'board.env');
  writeFileSync(facts, bootFacts(board, board.emulator.arguments));
  tools.run('mcopy', ['-o', '-i', `${card}@@${bootOffset}`, facts, '::board.env'], [folder]);
}

/**
 * Plugs in what is on USB, on a hub as on the board, once Linux listens at its port: its driver forgets what was there
 * before now and then, and what U-Boot has seen QEMU's controller does not show again.
 */
async function plugUsb(machine: Machine, { mac }: Wire): Promise<void> {
  const { monitor, starts } = machine;
  const devices: readonly DeviceWords[] = [
    { driver: 'usb-hub', id: 'hub' },
    { driver: 'usb-net', id: 'net', netdev: 'wire', mac },
    ...machine.storage.drives.map(({ id }) => disk(id)),
  ];
  for (const { id } of devices.toReversed()) {
    // There only when the machine starts again by itself.
    await monitor.run('device_del', { id }).catch(() => {});
  }
  for (;;) {
    await delay(usbPollMs);
    if (machine.starts !== starts || !machine.running) return;
    const said = await monitor.human(`xp /1xw 0x${usbInterrupts.toString(16)}`);
    if ((Number(said.split(' ').at(-1)) & usbPortInterrupt) !== 0) break;
  }
  await delay(usbPollMs);
  for (const device of devices) await monitor.run('device_add', device);
}

function disk(id: string): DeviceWords {
  return { driver: 'usb-storage', drive: id, id, serial: id };
}
