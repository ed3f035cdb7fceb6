import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LanHost } from '../../scripts/lan/network.ts';
import type { Program } from '../../scripts/lan/processes.ts';
import { mosquittoMissing } from '../../src/testing/mosquitto.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { whyNot } from '../target.ts';
import { usePage } from './page.ts';

const lightsMs = 60_000;
const brokerMs = 120_000;
const brokerPort = 1883;
/** Debian has a broker where only root looks for programs. */
const env = { PATH: `${process.env.PATH}:/usr/sbin` };

/** Why no broker can be beside the box; undefined: one can. */
export function whyNoBroker({ target: { capabilities } }: Scene): string | undefined {
  return whyNot(capabilities, ['root shell', 'second computer']) ?? mosquittoMissing();
}

/** Starts a broker on another computer, and tells the box of it as a person does: it knows from its next start on. */
export async function startBroker(scene: Scene): Promise<Program> {
  const { root, network } = scene.target;
  const second = network.second as LanHost;
  const settings = join(scene.folder('broker'), 'mosquitto.conf');
  writeFileSync(settings, `listener ${brokerPort} 0.0.0.0\nallow_anonymous true\nuser root\n`);
  const config = JSON.stringify({ mqtt: { url: `mqtt://${second.address}:${brokerPort}` } });
  const file = '/data/aetherstore/box.json';
  await root.run(`echo '${config}' >${file} && chown aetherstore: ${file} && sync`);
  return second.start('mosquitto', ['-c', settings], { env });
}

/**
 * The version before runs again, and says so with its reason: by its lights, on the serial console, on its page and, where
 * there is a broker, there. Resolves with the names of these.
 */
export async function rollbackIsTold(
  scene: Scene,
  { reason, hasBroker }: { readonly reason: string; readonly hasBroker: boolean },
): Promise<readonly string[]> {
  const { console, lights, capabilities } = scene.target;
  const places: string[] = [];
  if (capabilities.lights === true) {
    await waitForRhythm(lights, 'needs a person, 8 flashes', scene.patienceMs(lightsMs));
    places.push('lights');
  }
  const sentence = `did not work: ${reason}`;
  const lines = await console.command('status');
  // The console breaks lines where its terminal ends.
  assertSays('console', lines.map((line) => line.trim()).join(' '), sentence);
  assertSays('page', (await usePage(scene)).replace(/\s+/g, ' '), sentence);
  places.push('console', 'page');
  if (!hasBroker) return places;
  const { problem, attributes } = await stateAtBroker(scene, reason);
  assert.equal(problem, 'ON');
  assertSays('broker', attributes.conditions.join(' '), sentence);
  return [...places, 'MQTT'];
}

function assertSays(place: string, text: string, sentence: string): void {
  assert.ok(text.includes(sentence), `${place}: ${text}`);
}

/** What a box publishes of itself (docs/mqtt.md); the part that is looked at. */
interface SeenState {
  readonly problem: string;
  readonly attributes: { readonly conditions: readonly string[] };
  readonly update: { readonly state: string; readonly reason: string | null };
}

/** Resolves with the state at the broker that tells of the rollback: a box that has just started does not know of it yet. */
async function stateAtBroker(scene: Scene, reason: string): Promise<SeenState> {
  const place = scene.target.network.second;
  const words = ['-h', '127.0.0.1', '-p', String(brokerPort), '-t', 'aetherstore/+/state'];
  const listener = place.start('mosquitto_sub', words, { env });
  const accept = (line: string) => {
    if (!line.startsWith('{')) return undefined;
    const state = JSON.parse(line) as SeenState;
    const { update } = state;
    return update.state === 'rolled-back' && update.reason === reason ? state : undefined;
  };
  try {
    return await listener.firstLine(accept, scene.patienceMs(brokerMs));
  } finally {
    await listener.stop();
  }
}
