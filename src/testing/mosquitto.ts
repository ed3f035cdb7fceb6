import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/** Debian puts it where only root looks for programs. */
const programPath = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** Why tests with a real mosquitto cannot run here, or undefined. */
export function mosquittoMissing(): string | undefined {
  const missing = ['mosquitto', 'mosquitto_sub', 'mosquitto_pub', 'mosquitto_passwd'].filter(
    (name) => spawnSync(name, ['--help'], { env: programPath }).error !== undefined,
  );
  return missing.length === 0 ? undefined : `${missing.join(', ')} is not installed`;
}

export interface MosquittoOptions {
  /** Lines of its configuration beside those of the listener. */
  readonly settings?: readonly string[];
  /** Files of its folder, by name; a setting says `DIR/name`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Who may connect; everybody when left out. */
  readonly user?: { readonly name: string; readonly password: string };
}

export interface HeardMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

/** A mosquitto of its own on a port of the loopback interface, with its own configuration and nothing on disk kept. */
export class Mosquitto {
  readonly port: number;
  readonly #folder: string;
  readonly #clientArguments: readonly string[];
  readonly #children = new Set<ChildProcess>();
  #broker: ChildProcess | undefined;

  private constructor(port: number, folder: string, clientArguments: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#clientArguments = clientArguments;
  }

  static async start(
    { settings = [], files = {}, user }: MosquittoOptions = {},
    clientArguments: readonly string[] = [],
  ): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
    const port = await freePort();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const access = user === undefined ? ['allow_anonymous true'] : passwordFile(folder, user);
    const lines = [
      `listener ${port} 127.0.0.1`,
      ...access,
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      ...settings,
    ];
    writeFileSync(join(folder, 'conf'), `${lines.join('\n')}\n`.replaceAll('DIR', folder));
    const login = user === undefined ? [] : ['-u', user.name, '-P', user.password];
    const mosquitto = new Mosquitto(port, folder, [
      ...login,
      ...clientArguments.map((one) => one.replace('DIR', folder)),
    ]);
    await mosquitto.startBroker();
    return mosquitto;
  }

  async startBroker(): Promise<void> {
    const broker = spawn('mosquitto', ['-c', join(this.#folder, 'conf')], {
      env: programPath,
      stdio: 'ignore',
    });
    this.#broker = broker;
    for (let tries = 0; !(await answers(this.port)); tries++) {
      if (broker.exitCode !== null || tries > 200) throw new Error('mosquitto did not start');
      await pause(25);
    }
  }

  /** As a power cut would: nothing is kept. */
  async killBroker(): Promise<void> {
    await killed(this.#broker);
    this.#broker = undefined;
  }

  /** Follows topics as another client; resolves once it is subscribed. */
  async follow(topic: string): Promise<Listener> {
    const ready = `test/${this.#children.size}/ready`;
    const child = this.#client('mosquitto_sub', ['-t', topic, '-t', ready, '-F', '%r %t %p']);
    const listener = new Listener(child);
    for (let tries = 0; !listener.messages.some((one) => one.topic === ready); tries++) {
      if (tries > 100) throw new Error('mosquitto_sub did not subscribe');
      await this.publish(ready, 'x');
      await pause(20);
    }
    return listener;
  }

  async publish(topic: string, payload: string, { retain = false } = {}): Promise<void> {
    const child = this.#client('mosquitto_pub', [
      '-q',
      '1',
      '-t',
      topic,
      '-m',
      payload,
      ...(retain ? ['-r'] : []),
    ]);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map(killed));
    await this.killBroker();
    rmSync(this.#folder, { recursive: true });
  }

  #client(program: string, parameters: readonly string[]): ChildProcess {
    const where = ['-h', '127.0.0.1', '-p', String(this.port), ...this.#clientArguments];
    const child = spawn(program, [...where, ...parameters], {
      env: programPath,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#children.add(child);
    return child;
  }
}

/** What a second client hears. */
export class Listener {
  readonly messages: HeardMessage[] = [];

  constructor(child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [retained, topic, ...rest] = line.split(' ');
      this.messages.push({ topic: topic!, payload: rest.join(' '), retained: retained === '1' });
    });
  }

  of(topic: string): readonly string[] {
    return this.messages.filter((message) => message.topic === topic).map(({ payload }) => payload);
  }
}

function passwordFile(
  folder: string,
  { name, password }: { name: string; password: string },
): readonly string[] {
  const path = join(folder, 'passwords');
  spawnSync('mosquitto_passwd', ['-c', '-b', path, name, password], { env: programPath });
  return ['allow_anonymous false', `password_file ${path}`];
}

async function killed(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
